import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packedFile } from '../analysis/file-names.ts';
import { judgePacked, packForData } from '../analysis/packed-evaluation.ts';
import { DivergenceError, InterruptError, PackError, ShapeError, TakenError, UsageError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import { floatBytes } from '../pack/pack.ts';
import type { AnyTask } from '../tasks/table.ts';
import { pool } from '../tensor/storage.ts';
import { askedOf, type TrainConfig } from '../train/config.ts';
import type { House } from '../train/plugin.ts';
import { taskOf } from '../train/purpose.ts';
import { notePacked } from '../train/report-file.ts';
import { trainRun } from '../train/run.ts';
import type { RunEvents } from '../train/run-events.ts';
import { RunFolder } from '../train/run-folder.ts';
import type { Job } from './jobs.ts';
import type { Load } from './loaded-once.ts';
import { type DoneResult, type RunResult, readResult, writeResult } from './result.ts';

export interface QueueEvents {
  /** A training begins or continues; `place` counts from 1. */
  readonly onJob: (job: Job, place: number, of: number) => RunEvents;
  readonly onResult: (job: Job, result: RunResult) => void;
  /** A run could not be done and stays open; the others go on. */
  readonly onError: (job: Job, error: unknown) => void;
}

/** `busy`: what is left is in the hands of another process. */
export type QueueEnd = 'finished' | 'stopped' | 'busy';

export const runFolderOf = (folder: string, id: string): RunFolder => new RunFolder(join(folder, 'runs', id));

/** Accuracy and size after packing; a network whose method cannot be packed says why. */
async function packedFigures(
  network: Network,
  data: DataSet,
  folder: RunFolder,
  limit: number | undefined,
  { task, own: { ops } }: { readonly task: AnyTask; readonly own: House },
): Promise<Pick<DoneResult, 'packedAccuracy' | 'packedBytes' | 'notPacked'>> {
  try {
    const { bytes, model } = await packForData(network, data, { ops, task });
    folder.write(packedFile, bytes);
    const accuracy = task.figures[0].of(await judgePacked(model, task, data, limit));
    notePacked(folder, () => network, { accuracy, fileBytes: bytes.length, floatBytes: floatBytes(network) });
    return { packedAccuracy: accuracy, packedBytes: bytes.length };
  } catch (error) {
    if (error instanceof PackError) return { packedAccuracy: null, packedBytes: null, notPacked: error.message };
    throw error;
  }
}

/** The config a run was begun with; it must be the plan's, but for the epochs of a budget in minutes, where its teacher lies and how many broken pictures it puts up with. */
function storedConfig(folder: RunFolder, { config, id }: Job): TrainConfig | null {
  if (!folder.exists) return null;
  const stored = folder.readConfig();
  const comparable = (of: TrainConfig) =>
    JSON.stringify({ ...askedOf(of), epochs: 0, allowBroken: 0, teacher: !of.teacher, init: !of.init });
  const { teacher, init } = config;
  if (comparable(stored) === comparable(config))
    return { ...stored, ...(teacher ? { teacher } : {}), ...(init ? { init } : {}) };
  throw new UsageError(
    `run ${id} was begun with other options than the plan's: give the entry another label, or delete ${folder.path}`,
  );
}

/** Diverged, or refused for this model: a result like any other. */
const isOutcome = (error: unknown): error is Error =>
  error instanceof DivergenceError || error instanceof UsageError || error instanceof ShapeError;

/** Jobs without a result; and those with one that others wait for, if their weights are gone: what is published of a run leaves these out. */
export function openJobs(folder: string, jobs: readonly Job[]): Job[] {
  const unfinished = jobs.filter(({ id }) => readResult(runFolderOf(folder, id)) === null);
  const needed = new Set(unfinished.map(({ needs }) => needs));
  return jobs.filter(
    (job) =>
      unfinished.includes(job) ||
      (needed.has(job.id) && !existsSync(runFolderOf(folder, job.id).file('checkpoint.safetensors'))),
  );
}

/** Runs the jobs one after the other; every state is in their run folders, so that any process may continue at any time. */
export class Queue {
  private readonly folder: string;
  private readonly events: QueueEvents;
  /** Epochs of a job whose budget is a time. */
  private readonly epochsOf: (config: TrainConfig, data: DataSet) => Promise<number>;

  private readonly load: Load;
  private readonly own: House;
  /** After a run is finished. */
  private readonly afterRun: (job: Job, folder: RunFolder, data: DataSet) => Promise<void>;

  constructor(
    folder: string,
    events: QueueEvents,
    epochsOf: (config: TrainConfig, data: DataSet) => Promise<number>,
    load: Load,
    own: House,
    afterRun: (job: Job, folder: RunFolder, data: DataSet) => Promise<void> = async () => {},
  ) {
    this.folder = folder;
    this.events = events;
    this.epochsOf = epochsOf;
    this.load = load;
    this.own = own;
    this.afterRun = afterRun;
  }

  /** @throws when nothing is left but runs that could not be done, the error of the first one */
  async run(jobs: readonly Job[]): Promise<QueueEnd> {
    const errors = new Map<string, unknown>();
    const taken = new Set<string>();
    for (;;) {
      const open = openJobs(this.folder, jobs);
      if (open.length === 0) return 'finished';
      const next = open.find(({ id, needs }) => !errors.has(id) && !taken.has(id) && this.isReady(id, needs, open));
      if (!next && errors.size > 0) throw errors.values().next().value;
      if (!next) return 'busy';
      try {
        if (!(await this.finish(next, jobs))) return 'stopped';
      } catch (error) {
        if (error instanceof InterruptError) return 'stopped';
        // another process was quicker: it is its run now
        if (error instanceof TakenError) {
          taken.add(next.id);
          continue;
        }
        // a night of other runs must not be lost for one
        errors.set(next.id, error);
        this.events.onError(next, error);
      }
    }
  }

  private isReady(id: string, needs: string | null, open: readonly Job[]): boolean {
    return !runFolderOf(this.folder, id).isTaken && !open.some((job) => job.id === needs);
  }

  /** The run is locked until its analyses are made. @returns false when Ctrl-C stopped it */
  private finish(job: Job, jobs: readonly Job[]): Promise<boolean> {
    const folder = runFolderOf(this.folder, job.id);
    return folder.whileLocked(async () => {
      // another process has finished it since it was found open
      if (!openJobs(this.folder, jobs).includes(job)) return true;
      const events = this.events.onJob(job, jobs.indexOf(job) + 1, jobs.length);
      const result = await this.train(job, folder, events);
      pool.clear();
      if (!result) return false;
      writeResult(folder, result);
      this.events.onResult(job, result);
      await this.afterRun(job, folder, await this.load(job.config));
      return true;
    });
  }

  private async train(job: Job, folder: RunFolder, events: RunEvents): Promise<RunResult | null> {
    const stored = storedConfig(folder, job);
    const data = await this.load(job.config);
    try {
      const config = stored ?? { ...job.config, epochs: await this.epochsOf(job.config, data) };
      const run = await trainRun(folder, config, data, {
        ...this.own,
        existing: 'resume',
        floatNetworks: false,
        ...events,
      });
      const { accuracy, finished, interrupted, network } = run;
      // after its last step, Ctrl-C ends the queue all the same; the checkpoint is that of a finished run
      if (!finished || interrupted) return null;
      const parameters = network.parameters().reduce((sum, { value }) => sum + value.size, 0);
      const task = taskOf(config, this.own);
      const [{ title }] = task.figures;
      // no JSON can hold it, and no ranking place it
      if (!Number.isFinite(accuracy)) return { failed: `its ${title} on the test images is ${accuracy}` };
      const packed = await packedFigures(network, run.data, folder, config.limit, { task, own: this.own });
      return { accuracy, ...packed, floatBytes: floatBytes(network), parameters };
    } catch (error) {
      if (isOutcome(error)) return { failed: error.message };
      throw error;
    }
  }
}
