import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Network } from '../models/network.ts';
import { hasAverages } from '../train/average.ts';
import { bestFile } from '../train/best.ts';
import type { LoadedCheckpoint } from '../train/checkpoint.ts';
import { loadTrained } from '../train/load-network.ts';
import type { House } from '../train/plugin.ts';
import { stageFile } from '../train/run-folder.ts';
import { atLeastOne } from './arguments.ts';

export interface Weights {
  /** Those of the run's best epoch instead of the last ones. */
  readonly best?: boolean | undefined;
  /** False: of a run with averages, the weights of the step itself. */
  readonly ema?: boolean | undefined;
  /** Those that a stage of the run has left, in place of the last ones; counts from 1. */
  readonly stage?: number | undefined;
}

/** Option of the commands that take a run's own weights. */
export const stageOption = [
  '--stage <n>',
  'the network that the first, second … stage of the run has left (train --stages)',
  atLeastOne,
] as const;

/** The network of a run folder or checkpoint file, with its trained weights. */
export function loadNetwork(
  path: string,
  house: House,
  { best, ema, stage }: Weights = {},
): { network: Network; checkpoint: LoadedCheckpoint } {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a checkpoint file`);
  if (best && !existsSync(join(path, bestFile)))
    throw new UsageError(
      `${path} keeps no best checkpoint (${bestFile}); train with --keep best, and with --validation <n> to choose it on`,
    );
  const ofStage = stage === undefined ? undefined : stageFile(stage - 1);
  if (ofStage && !existsSync(join(path, ofStage)))
    throw new UsageError(
      `--stage ${stage}: ${path} keeps no ${ofStage}; a run keeps what each of its stages but the last has left, once it is over`,
    );
  const loaded = loadTrained(path, ofStage ?? (best ? bestFile : undefined), ema, house);
  if (ema === false && !hasAverages(loaded.checkpoint.tensors))
    throw new UsageError(`--no-ema: ${path} keeps no averages; it was trained without --ema`);
  loaded.network.setTraining(false);
  return loaded;
}
