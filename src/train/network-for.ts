import type { DataSet } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/table.ts';
import { type TrainConfig, tricksOf } from './config.ts';

/** The network a training begins with: its model, method, options and seed, for the images and classes of its data. */
export function networkFor(config: TrainConfig, data: Pick<DataSet, 'shape' | 'classes'>): Network {
  return buildNetwork({
    model: config.model,
    method: config.method,
    inputShape: [...data.shape],
    classes: data.classes.length,
    width: config.width,
    seed: config.seed,
    tricks: tricksOf(config),
    policy: config.policy,
  });
}
