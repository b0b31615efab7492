import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Network } from '../models/network.ts';
import { hasAverages } from '../train/average.ts';
import { bestFile } from '../train/best.ts';
import type { LoadedCheckpoint } from '../train/checkpoint.ts';
import { loadTrained } from '../train/load-network.ts';

export interface Weights {
  /** Those of the run's best epoch instead of the last ones. */
  readonly best?: boolean | undefined;
  /** False: of a run with averages, the weights of the step itself. */
  readonly ema?: boolean | undefined;
}

/** The network of a run folder or checkpoint file, with its trained weights. */
export function loadNetwork(
  path: string,
  { best, ema }: Weights = {},
): { network: Network; checkpoint: LoadedCheckpoint } {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a checkpoint file`);
  if (best && !existsSync(join(path, bestFile)))
    throw new UsageError(
      `${path} keeps no best checkpoint (${bestFile}); train with --keep best, and with --validation <n> to choose it on`,
    );
  const loaded = loadTrained(path, best ? bestFile : undefined, ema);
  if (ema === false && !hasAverages(loaded.checkpoint.tensors))
    throw new UsageError(`--no-ema: ${path} keeps no averages; it was trained without --ema`);
  loaded.network.setTraining(false);
  return loaded;
}
