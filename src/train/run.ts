import { existsSync } from 'node:fs';
import type { DataSet } from '../data/dataset.ts';
import { writeFileAtomic } from '../data/files.ts';
import { policyText } from '../models/policy.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { reportHtml } from './report.ts';
import type { RunFolder } from './run-folder.ts';
import { type TrainEvents, Trainer } from './trainer.ts';

/** The command line that gives this config. */
export function commandOf(config: TrainConfig): string {
  const options = Object.entries(config).flatMap(([key, value]) => {
    const flag = key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (typeof value === 'boolean') return value ? [`--${flag}`] : key === 'clipLatent' ? ['--no-clip-latent'] : [];
    const text = typeof value === 'object' && !Array.isArray(value) ? policyText(value) : String(value);
    return [`--${flag} ${text}`];
  });
  return `signum train ${options.join(' ')}`;
}

export interface FinishedRun {
  /** Test accuracy of the last epoch; NaN when stopped before the end. */
  readonly accuracy: number;
  /** False when Ctrl-C or a kill stopped it; its state is saved. */
  readonly finished: boolean;
  /** Ctrl-C or a kill came, even if the run was finished by then. */
  readonly interrupted: boolean;
  readonly trainer: Trainer;
}

/** Trains in a locked run folder and writes its report; Ctrl-C saves first. */
export async function trainRun(
  folder: RunFolder,
  config: TrainConfig,
  data: DataSet,
  { resume, events }: { resume: boolean; events: Pick<TrainEvents, 'onStep' | 'onEpoch'> },
): Promise<FinishedRun> {
  folder.lock();
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const trainer = new Trainer(config, data, folder);
    // killed before its first checkpoint, a run starts anew: with the same seed that is the same run
    const checkpoint = folder.file('checkpoint.safetensors');
    if (resume && existsSync(checkpoint)) trainer.resume(readCheckpoint(checkpoint));
    else {
      folder.writeConfig(config);
      writeFileAtomic(folder.file('metrics.jsonl'), '');
    }
    const { evaluation, finished, network } = await trainer.run({ ...events, shouldStop: () => interrupted });
    if (evaluation) {
      const metrics = folder.readMetrics();
      const { classes } = data;
      const html = reportHtml({ config, command: commandOf(config), metrics, evaluation, classes, network });
      writeFileAtomic(folder.file('report.html'), html);
    }
    return { accuracy: evaluation?.top1 ?? Number.NaN, finished, interrupted, trainer };
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    folder.unlock();
  }
}
