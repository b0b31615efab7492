import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { more, type Row } from '../harness.ts';

/** A process of its own, whose native threads are its own. */
function perSecond(workers: number, threads: number): number {
  const script = fileURLToPath(new URL('../predictions.mjs', import.meta.url));
  const env = { ...process.env, SIGNUM_THREADS: String(threads) };
  const { perSecond: made } = JSON.parse(
    execFileSync(process.execPath, [script, String(workers), '3'], { encoding: 'utf8', env }),
  ) as { perSecond: number };
  return made;
}

function workersRow(threads: number, target: number): Row {
  return {
    name: `workers-${threads}-threads`,
    run: async () => {
      // in turns, against a drifting machine
      const rounds = [1, 2, 3].map(() => ({ one: perSecond(1, threads), two: perSecond(2, threads) }));
      const [one, two] = (['one', 'two'] as const).map(
        (key) => rounds.reduce((sum, r) => sum + r[key], 0) / rounds.length,
      );
      return [more('ResNet-20 predictions of 2 worker_threads', 'of one of them', two!, one!, '1/s', target, threads)];
    },
  };
}

/** With a thread of its own each, two workers share nothing; after the one pool, they must not be in each other's way. */
export const workerRows: Row[] = [workersRow(1, 1.8), workersRow(2, 1)];
