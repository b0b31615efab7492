/** One line of the results: what was measured, against whom, and whether the target is met. */
export interface Result {
  readonly row: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** How many times better ours is. */
  readonly ratio: number;
  readonly target: number;
  readonly threads: number;
  readonly smallerIsBetter: boolean;
}

export interface Row {
  readonly name: string;
  /** Several results when one measurement serves several targets. */
  readonly run: () => Promise<Result[]>;
}

type Task = () => unknown;

async function timed(task: Task, repeats: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < repeats; i++) {
    const result = task();
    if (result instanceof Promise) await result;
  }
  return (performance.now() - begin) / repeats;
}

export const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

/** `--against` compares our own figures only: peers are then left out, and count as NaN. */
export const alone = process.env['SIGNUM_BENCH_ALONE'] === '1';

/**
 * Median milliseconds of each task, taken in turns so that a drift of the machine's speed meets all of them alike.
 *
 * @param rounds turns per task, after one warm-up
 * @param all the others count as well when a row is compared with its own past: they are no peers
 */
export async function inTurns(tasks: readonly Task[], rounds = 15, roundMs = 60, all = !alone): Promise<number[]> {
  const repeats: number[] = [];
  for (const task of all ? tasks : tasks.slice(0, 1)) {
    await timed(task, 3);
    repeats.push(Math.max(1, Math.round(roundMs / Math.max(1e-4, await timed(task, 3)))));
  }
  const times = tasks.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, count] of repeats.entries()) times[i]!.push(await timed(tasks[i]!, count));
  return times.map((values) => (values.length > 0 ? median(values) : Number.NaN));
}

export function faster(
  row: string,
  peer: string,
  ours: number,
  theirs: number,
  unit: string,
  target: number,
  threads: number,
): Result {
  return { row, peer, ours, theirs, unit, ratio: theirs / ours, target, threads, smallerIsBetter: true };
}

export function more(
  row: string,
  peer: string,
  ours: number,
  theirs: number,
  unit: string,
  target: number,
  threads: number,
): Result {
  return { row, peer, ours, theirs, unit, ratio: ours / theirs, target, threads, smallerIsBetter: false };
}

export function randomFloats(length: number): Float32Array {
  return Float32Array.from({ length }, () => Math.random() - 0.5);
}
