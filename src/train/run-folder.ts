import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError, TakenError, UsageError } from '../core/errors.ts';
import { reasonOf } from '../core/printable.ts';
import { fileProblem, writeFileAtomic } from '../data/files.ts';
import { holderOf, Lock } from '../data/lock.ts';
import { loggedAs } from '../tasks/figures.ts';
import { parseConfig, type TrainConfig } from './config.ts';
import { withFirstValues } from './effective.ts';
import type { LayerMetrics } from './layer-metrics.ts';
import { metricsCsv } from './metrics-csv.ts';

/** The network that a stage has left, as a checkpoint; the first one is number 1. */
export const stageFile = (index: number): string => `stage-${index + 1}.safetensors`;

/** One line of metrics.jsonl. */
export interface EpochMetrics {
  readonly epoch: number;
  /** Name of the training that it belongs to, in a run of several. */
  readonly stage?: string;
  readonly step: number;
  readonly rate: number;
  readonly trainLoss: number;
  /** What follows is of classifiers; other tasks have their own figures under such names (`figureIn`). */
  readonly trainAccuracy?: number;
  readonly testLoss?: number;
  readonly testAccuracy?: number;
  readonly testTop5?: number;
  /** Of the images held back by `--validation`. */
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  readonly validationTop5?: number;
  /** Whether the images are those that were published; of sets of which that is known. */
  readonly originalPixels?: boolean;
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly layers: readonly LayerMetrics[];
}

/** A figure of a line of the log; undefined where it has none. @param name of the figure, such as `accuracy` */
export function figureIn(
  line: EpochMetrics,
  images: 'train' | 'validation' | 'test',
  name: string,
): number | undefined {
  const value = (line as unknown as Readonly<Record<string, unknown>>)[loggedAs(images, name)];
  return typeof value === 'number' ? value : undefined;
}

/**
 * `runs/<name>/`: config.json, metrics.jsonl (and .csv), checkpoint.safetensors, model files, report.html. One writes it at a time, under `lock`.
 */
export class RunFolder {
  readonly path: string;
  private held: Lock | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Path of a file of the run. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Whether a run was begun here. */
  get exists(): boolean {
    return existsSync(this.file('config.json'));
  }

  /** @throws UsageError when there is a run already */
  requireNew(): void {
    if (this.exists)
      throw new UsageError(
        `run ${this.path} exists; continue it with --resume (existing: 'resume'), or choose another --name`,
      );
  }

  /**
   * Makes the folder where there is none, and removes what a killed process left half written.
   *
   * @throws TakenError when another living process holds the run, SignumError when the folder cannot be written
   */
  lock(): void {
    if (this.held) return;
    try {
      mkdirSync(this.path, { recursive: true });
      this.held = Lock.take(this.file('lock'), `run ${this.path}`);
    } catch (error) {
      if (error instanceof TakenError) throw error;
      throw fileProblem('write', this.path, error);
    }
    for (const name of readdirSync(this.path))
      if (name.endsWith('.tmp')) rmSync(this.file(name), { recursive: true, force: true });
  }

  /** Runs `body` under the lock; one that this object holds already stays. @throws as `lock` */
  async whileLocked<T>(body: () => Promise<T>): Promise<T> {
    const before = this.held;
    this.lock();
    try {
      return await body();
    } finally {
      if (!before) this.unlock();
    }
  }

  /** Whether the lock was taken over; noticed within five seconds, without asking the disk. */
  get isLost(): boolean {
    return this.held?.isLost ?? false;
  }

  /** Whether somebody else writes this run: another process, or another object in this one. */
  get isTaken(): boolean {
    return !this.held && holderOf(this.file('lock')) !== null;
  }

  /** Lets others write the run. */
  unlock(): void {
    this.held?.release();
    this.held = null;
  }

  /** Before anything is written. @throws TakenError when the lock was held and another process has taken it over */
  requireHeld(): void {
    this.held?.requireHeld();
  }

  /** Writes a file of the run as a whole. @throws TakenError as `requireHeld`, SignumError when it cannot be written */
  write(name: string, content: Uint8Array | string): void {
    writeFileAtomic(this.file(name), content, () => this.requireHeld());
  }

  /** Writes `config.json`: what the run was told, with every default. */
  writeConfig(config: TrainConfig): void {
    this.write('config.json', `${JSON.stringify(config, null, 2)}\n`);
  }

  /** @throws UsageError when there is no such run, FormatError when its config is damaged */
  readConfig(): TrainConfig {
    if (!this.exists)
      throw new UsageError(`no run at ${this.path} (config.json is missing); \`signum train\` makes one`);
    let config: TrainConfig;
    try {
      config = parseConfig(JSON.parse(readFileSync(this.file('config.json'), 'utf8')));
    } catch (error) {
      throw new FormatError(`${this.file('config.json')} is damaged: ${reasonOf(error)}`);
    }
    return withFirstValues(config);
  }

  /** Adds a line to the log, `metrics.jsonl`. */
  appendMetrics(metrics: EpochMetrics): void {
    const file = this.file('metrics.jsonl');
    try {
      // opened before the lock is looked at: whoever takes the run over puts another file in its place
      const descriptor = openSync(file, 'a');
      try {
        this.requireHeld();
        writeSync(descriptor, `${JSON.stringify(metrics)}\n`);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (error instanceof TakenError) throw error;
      throw fileProblem('write', file, error);
    }
    this.write('metrics.csv', metricsCsv(this.readMetrics()));
  }

  /** Complete lines only: the last one may have been cut by a crash. */
  readMetrics(): EpochMetrics[] {
    if (!existsSync(this.file('metrics.jsonl'))) return [];
    return readFileSync(this.file('metrics.jsonl'), 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return line ? [JSON.parse(line) as EpochMetrics] : [];
        } catch {
          return [];
        }
      });
  }

  /** Drops the lines of epochs that a resumed run will do again. */
  keepMetricsBefore(epoch: number): void {
    const kept = this.readMetrics().filter((line) => line.epoch < epoch);
    this.write('metrics.jsonl', kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
    this.write('metrics.csv', metricsCsv(kept));
  }
}
