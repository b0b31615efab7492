import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatTable } from '../src/cli/output.ts';
import { median, type Result } from './harness.ts';

/** Runs of each side; odd, so that the median is one of them. */
const turns = 7;
/** A row that is worse by more than this share has to be explained. */
const tolerance = 0.03;

interface Side {
  readonly values: number[];
  readonly result: Result;
}

/** One run of a row in a process of a clone, without its peers where that clone's bench knows how to leave them out. */
function measure(clone: string, row: string): Result[] {
  const tsx = join(clone, 'node_modules/.bin/tsx');
  const args = ['-C', 'signum-source', join(clone, 'bench/main.ts'), '--json', row];
  const { stdout, stderr, status } = spawnSync(tsx, args, {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, SIGNUM_BENCH_ALONE: '1' },
  });
  if (status !== 0) throw new Error(`bench: ${row} failed in ${clone}: ${stderr.trim().split('\n').at(-1)}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result)
    .filter((line) => line.row !== undefined);
}

/** How many times better the new value is: below 1 it is worse. */
function gain(before: Side, after: Side): number {
  const ratio = median(after.values) / median(before.values);
  return after.result.smallerIsBetter ? 1 / ratio : ratio;
}

/**
 * Measures rows here and in another built clone in turns, and prints the medians.
 *
 * @param rows names of rows that both clones have
 * @returns whether no row got worse by more than 3 %
 */
export function compareWith(other: string, rows: readonly string[]): boolean {
  const clones = [resolve(other), fileURLToPath(new URL('..', import.meta.url))];
  for (const part of ['bench/main.ts', 'dist', 'node_modules'])
    if (!existsSync(join(clones[0]!, part)))
      throw new Error(`bench: ${clones[0]} is not a built clone: it lacks ${part}; run npm ci there`);
  const cells: string[][] = [];
  let fine = true;
  for (const row of rows) {
    const sides = [new Map<string, Side>(), new Map<string, Side>()] as const;
    for (let turn = 0; turn < turns; turn++) {
      for (const [i, clone] of clones.entries()) {
        for (const result of measure(clone, row)) {
          const side = sides[i]!.get(result.row) ?? { values: [], result };
          side.values.push(result.ours);
          sides[i]!.set(result.row, side);
        }
      }
    }
    for (const [name, after] of sides[1]) {
      const before = sides[0].get(name);
      if (!before) continue;
      const times = gain(before, after);
      fine &&= times >= 1 - tolerance;
      const figures = [before, after].map(({ values }) => median(values).toPrecision(4));
      cells.push([name, ...figures, after.result.unit, `${times.toFixed(3)}x`, times < 1 - tolerance ? 'worse' : '']);
      process.stderr.write(`${name}: ${times.toFixed(3)}x\n`);
    }
  }
  process.stdout.write(`\n${formatTable(['row', 'before', 'now', 'unit', 'gain', ''], cells)}\n`);
  return fine;
}
