import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { DataSet, Split } from '../data/dataset.ts';
import { digestOf } from '../data/digest.ts';
import { float } from '../methods/float.ts';
import type { Structure } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import { modelNamed, type Own } from '../models/table.ts';
import { parseConfig, type TrainConfig, type TrainOptions } from './config.ts';
import { networkFor } from './network-for.ts';
import type { House } from './plugin.ts';
import { taskOf, tellsClasses } from './purpose.ts';
import { RunFolder } from './run-folder.ts';

/** `--init none`, `--teacher none`: from random weights, or from labels alone, all the same. */
export const noFloat = 'none';

/** What a run has a float network for. */
export type FloatUse = 'init' | 'teacher';

/** For what a new run of these options is to have a float network that nobody has named. */
export function floatUses(
  { method, init, teacher, task }: Pick<TrainConfig, 'method' | 'task' | FloatUse>,
  own: House = {},
): FloatUse[] {
  const { start, teacher: kind } = methodNamed(method, undefined, own.methods);
  return [
    ...(init === undefined && start === 'float' ? (['init'] as const) : []),
    // answers of a teacher are its opinion of classes
    ...(teacher === undefined && kind === 'optional' && tellsClasses(taskOf({ task }, own))
      ? (['teacher'] as const)
      : []),
  ];
}

/** Options that give the float network the student's topology, as far as it is not the float method's own. */
function topologyOf({ model }: TrainConfig, structure: Structure, { models }: Own): Partial<TrainOptions> {
  const { order, shortcut, activation, pooling, normMomentum, head, stem, downsample } = structure;
  const asked = {
    blockOrder: order,
    ...(modelNamed(model, models).residual ? { shortcut } : {}),
    activation,
    pooling,
    normMomentum,
    head,
    stem,
    downsample,
  };
  const own: Record<string, unknown> = { ...float.structure, blockOrder: float.structure.order };
  return Object.fromEntries(Object.entries(asked).filter(([name, value]) => value !== own[name]));
}

/** Options that it has in common with the run that it is for. Their order is part of the key that finds it again. */
const shared = [
  'task',
  'taskHead',
  'headSettings',
  'model',
  'width',
  'padCrop',
  'flip',
  'resizedCrop',
  'splitSeed',
  'allowBroken',
  'validation',
  'limit',
  'seed',
] as const satisfies readonly (keyof TrainConfig)[];

/**
 * The run of the float network that such a run starts from, of its own topology, or learns from: the same model, images and seed, as long as itself
 * but no longer than the float recipe.
 */
function floatConfig(config: TrainConfig, data: DataSet<Split<object>>, use: FloatUse, own: House): TrainConfig {
  const { defaults } = float;
  const { structure } = networkFor(config, data, own).method;
  const options = {
    ...Object.fromEntries(shared.map((name) => [name, config[name]])),
    ...(use === 'init' ? topologyOf(config, structure, own) : {}),
    method: float.id,
    data: config.data,
    epochs: Math.min(config.epochs, defaults.epochs),
    batch: defaults.batch,
  };
  return parseConfig(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));
}

/** For people: what lies beside the run, what it is good for, and what its absence means. */
const words = {
  init: { folder: 'float-start', finds: 'starts from', without: 'begins at random' },
  teacher: { folder: 'float-teacher', finds: 'learns from', without: 'learns from labels alone' },
} as const satisfies Record<FloatUse, object>;

/** Where it lies and what it is; beside the run, under a name of everything that determines it, so that other runs find it. */
export interface FloatNetwork {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  /** Nothing is left to train. */
  readonly isDone: boolean;
  /** For the log. */
  readonly note: string;
}

export function floatNetworkFor(
  use: FloatUse,
  run: RunFolder,
  config: TrainConfig,
  data: DataSet<Split<object>>,
  own: House = {},
): FloatNetwork {
  const wanted = floatConfig(config, data, use, own);
  const { allowBroken: _, ...determining } = wanted;
  const key = createHash('sha256').update(JSON.stringify([determining, float.defaults.optimizer, digestOf(data)]));
  const { folder: name, finds, without } = words[use];
  const path = join(dirname(run.path), `${name}-${wanted.model}-${key.digest('hex').slice(0, 12)}`);
  const folder = new RunFolder(path);
  const isDone = folder.exists && folder.readMetrics().length >= wanted.epochs;
  const does = isDone ? `${finds} the float network of` : 'needs a trained float network first: trained now in';
  return {
    folder,
    config: wanted,
    isDone,
    note: `${config.method} ${does} ${path} (${wanted.epochs} epochs; --${use} <run> takes another, --${use} ${noFloat} ${without})`,
  };
}
