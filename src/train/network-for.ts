import type { DataSet } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork, type Own } from '../models/table.ts';
import { type TrainConfig, tricksOf } from './config.ts';
import { defaultsFrom } from './stored-defaults.ts';

/**
 * The network a training begins with: its model, method, options and seed, for the images and classes of its data. That of a run that was begun
 * is what it was.
 *
 * @param own methods and models to look its names up in first
 */
export function networkFor(config: TrainConfig, data: Pick<DataSet, 'shape' | 'classes'>, own?: Own): Network {
  const { effective } = config;
  return buildNetwork(
    {
      model: config.model,
      method: config.method,
      inputShape: [...data.shape],
      classes: data.classes.length,
      width: config.width,
      seed: config.seed,
      tricks: tricksOf(config),
      policy: config.policy,
      ...(effective ? { revision: effective.revision, structure: effective.structure } : {}),
    },
    effective && defaultsFrom(effective.defaults),
    own,
  );
}
