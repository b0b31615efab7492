import type { DataSet } from '../data/dataset.ts';
import type { Own } from '../models/table.ts';
import type { TrainConfig } from './config.ts';
import { networkFor } from './network-for.ts';
import type { RunFolder } from './run-folder.ts';
import { Trainer } from './trainer.ts';

/** A trainer by names: those of a config, looked up in one's own methods and models first. @throws UsageError for unknown ones, and as `Trainer` */
export const trainerFor = (config: TrainConfig, data: DataSet, folder: RunFolder, own?: Own): Trainer =>
  new Trainer({ network: networkFor(config, data, own), data, folder, config, own });
