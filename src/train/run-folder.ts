import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError, TakenError, UsageError } from '../core/errors.ts';
import { fileProblem, writeFileAtomic } from '../data/files.ts';
import { parseConfig, type TrainConfig } from './config.ts';
import type { LayerMetrics } from './layer-metrics.ts';

/** One line of metrics.jsonl. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly step: number;
  readonly rate: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly testTop5: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly layers: readonly LayerMetrics[];
}

/** A killed process whose parent has not collected it yet (Linux): it exists, but will never write again. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * `runs/<name>/`: config.json, metrics.jsonl, checkpoint.safetensors, model files, report.html. One process writes it at a time.
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

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

  /** @throws TakenError when another living process holds the run, SignumError when the folder cannot be written */
  lock(): void {
    const lock = this.file('lock');
    try {
      mkdirSync(this.path, { recursive: true });
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileProblem('write', this.path, error);
      const owner = Number(readFileSync(lock, 'utf8'));
      if (owner !== process.pid && isRunning(owner)) {
        throw new TakenError(
          `run ${this.path} is being written by process ${owner}; wait for it, or choose another --name`,
        );
      }
      writeFileAtomic(lock, String(process.pid));
    }
  }

  /** Whether another living process writes this run. */
  get isTaken(): boolean {
    try {
      const owner = Number(readFileSync(this.file('lock'), 'utf8'));
      return owner !== process.pid && isRunning(owner);
    } catch {
      return false;
    }
  }

  unlock(): void {
    rmSync(this.file('lock'), { force: true });
  }

  writeConfig(config: TrainConfig): void {
    writeFileAtomic(this.file('config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** @throws UsageError when there is no such run, FormatError when its config is damaged */
  readConfig(): TrainConfig {
    if (!this.exists)
      throw new UsageError(`no run at ${this.path} (config.json is missing); \`signum train\` makes one`);
    try {
      return parseConfig(JSON.parse(readFileSync(this.file('config.json'), 'utf8')));
    } catch (error) {
      throw new FormatError(
        `${this.file('config.json')} is damaged: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  appendMetrics(metrics: EpochMetrics): void {
    try {
      appendFileSync(this.file('metrics.jsonl'), `${JSON.stringify(metrics)}\n`);
    } catch (error) {
      throw fileProblem('write', this.file('metrics.jsonl'), error);
    }
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
    writeFileAtomic(this.file('metrics.jsonl'), kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}
