import { expect, test } from 'vitest';
import { runProcess } from '../process.testing.ts';
import { nativeAddon } from './binding.ts';

const program = new URL('./threads.testing.ts', import.meta.url);

// one native thread each, and both callers after the one pool
test.skipIf(nativeAddon() instanceof Error).each([
  { workers: 2, threads: 2, train: 30 },
  { workers: 4, threads: 1, train: 0 },
])(
  '$workers threads of JavaScript that predict at once, the first after training, answer as alone ($threads native threads)',
  async ({ workers, threads, train }) => {
    const { end, output, errors } = await runProcess(program, [workers, 10_000, train], {
      SIGNUM_THREADS: String(threads),
    });
    expect({ end, errors }).toEqual({ end: 0, errors: '' });
    expect(JSON.parse(output)).toEqual({ predictions: workers * 10_000, wrong: 0, sameWeights: true });
  },
  240_000,
);
