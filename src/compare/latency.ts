import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { packedFile } from '../analysis/file-names.ts';
import { latencyMs } from '../analysis/latency.ts';
import { packForData } from '../analysis/packed-evaluation.ts';
import { FormatError, PackError } from '../core/errors.ts';
import { writeFileAtomic } from '../data/files.ts';
import { loadPackedModel, type PackedModel } from '../runtime/packed-model.ts';
import { networkFor } from '../train/network-for.ts';
import type { House } from '../train/plugin.ts';
import { configFor } from '../train/plugin-records.ts';
import { taskOf } from '../train/purpose.ts';
import { describeMachine } from './comparison.ts';
import { type Job, jobsByRow } from './jobs.ts';
import type { Load } from './loaded-once.ts';
import { runFolderOf } from './queue.ts';
import { readResult } from './result.ts';

const rounds = 5;

const stored = z.strictObject({ machine: z.string(), milliseconds: z.record(z.string(), z.number()) });

/** By run, and the machine they were measured on. */
export interface Latencies {
  readonly machine: string;
  readonly milliseconds: ReadonlyMap<string, number>;
}

const packedFileOf = (folder: string, { id }: Job): string => runFolderOf(folder, id).file(packedFile);

/** Whether a run is finished and its network was packed. */
function wasPacked(folder: string, { id }: Job): boolean {
  const result = readResult(runFolderOf(folder, id));
  return result !== null && result.failed === undefined && result.packedBytes !== null;
}

/**
 * The packed network of a run; where the file is gone (a published comparison leaves it out), an untrained one of the same layers, which takes
 * as long. Null where it only packs once it is trained.
 */
async function packedModel(job: Job, folder: string, load: Load, own: House): Promise<PackedModel | null> {
  const file = packedFileOf(folder, job);
  if (existsSync(file)) return loadPackedModel(readFileSync(file), { ops: own.packedOps });
  const data = await load(job.config);
  const run = runFolderOf(folder, job.id);
  const network = networkFor(run.exists ? configFor(run, own) : job.config, data, own);
  network.setPoint({ progress: 1, epoch: job.config.epochs });
  network.setTraining(false);
  try {
    return (await packForData(network, data, { ops: own.ops, task: taskOf(job.config, own) })).model;
  } catch (error) {
    if (error instanceof PackError) return null;
    throw error;
  }
}

/**
 * Milliseconds for one image by every packed network of the jobs. They take turns, and the best of each one's medians counts: what else the
 * machine does then disturbs none more than another.
 */
async function measure(jobs: readonly Job[], folder: string, load: Load, own: House): Promise<Latencies> {
  const models = new Map<string, PackedModel>();
  for (const job of jobs) {
    const model = await packedModel(job, folder, load, own);
    if (model) models.set(job.id, model);
  }
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const [id, model] of models)
      best.set(id, Math.min(best.get(id) ?? Number.POSITIVE_INFINITY, latencyMs(model)));
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
 * Latencies of the first run of every row: those of the comparison's log if it has all of them and the packed networks are not here, else
 * measured now.
 */
export async function latenciesOf(jobs: readonly Job[], folder: string, load: Load, own: House): Promise<Latencies> {
  const file = join(folder, 'latency.json');
  const firsts = jobsByRow(jobs).map((group) => group[0]!);
  const packed = firsts.filter((job) => wasPacked(folder, job));
  const logged = read(file);
  if (
    logged &&
    packed.every(({ id }) => logged.milliseconds.has(id)) &&
    !packed.every((job) => existsSync(packedFileOf(folder, job)))
  )
    return logged;
  const measured = await measure(packed, folder, load, own);
  const milliseconds = Object.fromEntries(measured.milliseconds);
  writeFileAtomic(file, `${JSON.stringify({ machine: measured.machine, milliseconds }, null, 2)}\n`);
  return measured;
}
