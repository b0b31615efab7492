import type { DataSet } from '../data/dataset.ts';
import { classifier } from '../models/heads/classifier.ts';
import { headSettings, type StoredHead } from '../models/heads/head.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/table.ts';
import { headNamed } from '../tasks/table.ts';
import { type TrainConfig, tricksOf } from './config.ts';
import type { House } from './plugin.ts';
import { taskOf } from './purpose.ts';
import { defaultsFrom } from './stored-defaults.ts';

/** The head that the options name, with its settings; those of a run that was begun are what they were. */
function storedHead(config: TrainConfig, own: House): StoredHead | undefined {
  const stored = config.effective?.task?.head;
  const head = headNamed(taskOf(config, own), stored?.id ?? config.taskHead);
  const named = stored ?? { id: head.id, settings: headSettings(head, config.headSettings) };
  return (head as unknown) === classifier ? undefined : named;
}

/**
 * The network a training begins with: its model, method, options and seed, for the images and classes of its data. That of a run that was begun
 * is what it was.
 *
 * @param own methods, models and tasks to look its names up in first
 */
export function networkFor(config: TrainConfig, data: Pick<DataSet, 'shape' | 'classes'>, own: House = {}): Network {
  const { effective } = config;
  const { heads } = taskOf(config, own);
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
      head: storedHead(config, own),
      ...(effective ? { revision: effective.revision, structure: effective.structure } : {}),
    },
    effective && defaultsFrom(effective.defaults),
    { ...own, heads },
  );
}
