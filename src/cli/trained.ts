import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Network } from '../models/network.ts';
import { bestFile } from '../train/best.ts';
import type { LoadedCheckpoint } from '../train/checkpoint.ts';
import { loadTrained } from '../train/load-network.ts';

/** The network of a run folder or checkpoint file, with its trained weights. @param best those of the run's best epoch */
export function loadNetwork(path: string, best = false): { network: Network; checkpoint: LoadedCheckpoint } {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a checkpoint file`);
  if (best && !existsSync(join(path, bestFile)))
    throw new UsageError(
      `${path} keeps no best checkpoint (${bestFile}); train with --keep best, and with --validation <n> to choose it on`,
    );
  const loaded = loadTrained(path, best ? bestFile : undefined);
  loaded.network.setTraining(false);
  return loaded;
}
