import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { FormatError } from '../../core/errors.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { loadPackedModel, type PackedModel } from '../../runtime/packed-model.ts';
import { packedFile } from '../packed-evaluation.ts';
import { describeMachine } from './comparison.ts';
import { type Job, jobsByRow } from './jobs.ts';
import { runFolderOf } from './queue.ts';

const rounds = 5;
const repeats = 20;

const stored = z.strictObject({ machine: z.string(), milliseconds: z.record(z.string(), z.number()) });

/** By run, and the machine they were measured on. */
export interface Latencies {
  readonly machine: string;
  readonly milliseconds: ReadonlyMap<string, number>;
}

function medianMs(model: PackedModel, image: Float32Array): number {
  const times = Array.from({ length: repeats }, () => {
    const begin = performance.now();
    model.run(image);
    return performance.now() - begin;
  });
  return times.sort((a, b) => a - b)[repeats >> 1]!;
}

/**
 * Milliseconds for one image by every packed network of the jobs. They take turns, and the best of each one's medians counts: what else the
 * machine does then disturbs none more than another.
 */
function measure(jobs: readonly Job[], folder: string): Latencies {
  const models = jobs.flatMap(({ id }) => {
    const file = runFolderOf(folder, id).file(packedFile);
    return existsSync(file) ? [{ id, model: loadPackedModel(readFileSync(file)) }] : [];
  });
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const { id, model } of models) {
      const image = new Float32Array(model.graph.input.reduce((a, b) => a * b)).fill(0.5);
      best.set(id, Math.min(best.get(id) ?? Number.POSITIVE_INFINITY, medianMs(model, image)));
    }
  return { machine: describeMachine(), milliseconds: best };
}

function read(file: string): Latencies | null {
  if (!existsSync(file)) return null;
  try {
    const { machine, milliseconds } = stored.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { machine, milliseconds: new Map(Object.entries(milliseconds)) };
  } catch {
    throw new FormatError(`${file} is damaged; delete it, and latencies are measured again`);
  }
}

/**
 * Latencies of the first run of every row: measured now if all their packed files are here, else as the comparison's log has them.
 */
export function latenciesOf(jobs: readonly Job[], folder: string): Latencies {
  const file = join(folder, 'latency.json');
  const firsts = jobsByRow(jobs).map((group) => group[0]!);
  const logged = read(file);
  const measured = measure(firsts, folder);
  if (logged && logged.milliseconds.size > measured.milliseconds.size) return logged;
  const milliseconds = Object.fromEntries(measured.milliseconds);
  writeFileAtomic(file, `${JSON.stringify({ machine: measured.machine, milliseconds }, null, 2)}\n`);
  return measured;
}
