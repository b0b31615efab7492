import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { DataSet } from '../data/dataset.ts';
import { digestOf } from '../data/digest.ts';
import { float } from '../methods/float.ts';
import type { Structure } from '../methods/method.ts';
import { methodNamed } from '../methods/table.ts';
import { modelNamed } from '../models/table.ts';
import { parseConfig, type TrainConfig, type TrainOptions } from './config.ts';
import { networkFor } from './network-for.ts';
import { RunFolder } from './run-folder.ts';

/** `--init none`: from random weights all the same. */
export const noStart = 'none';

/** Whether a new run of this config is to begin with a float network that nobody has named. */
export const wantsFloatStart = ({ method, init }: Pick<TrainConfig, 'method' | 'init'>): boolean =>
  init === undefined && methodNamed(method).start === 'float';

/** Options that give the float network the student's topology, as far as it is not the float method's own. */
function topologyOf({ model }: TrainConfig, structure: Structure): Partial<TrainOptions> {
  const { order, shortcut, activation, pooling, normMomentum, head, stem, downsample } = structure;
  const asked = {
    blockOrder: order,
    ...(modelNamed(model).residual ? { shortcut } : {}),
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

/** The run of the float network that such a run starts from: the same model, images and seed, as long as itself but no longer than the float recipe. */
function floatConfig(config: TrainConfig, data: DataSet): TrainConfig {
  const { model, width, epochs, padCrop, flip, resizedCrop, splitSeed, allowBroken, validation, limit, seed } = config;
  const { defaults } = float;
  const { structure } = networkFor(config, data).method;
  const options = {
    ...{ model, width, padCrop, flip, resizedCrop, splitSeed, allowBroken, validation, limit, seed },
    ...topologyOf(config, structure),
    method: float.id,
    data: config.data,
    epochs: Math.min(epochs, defaults.epochs),
    batch: defaults.batch,
  };
  return parseConfig(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));
}

/** Where it lies and what it is; beside the run, under a name of everything that determines it, so that other runs find it. */
export interface FloatStart {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  /** Nothing is left to train. */
  readonly isDone: boolean;
  /** For the log. */
  readonly note: string;
}

export function floatStartOf(run: RunFolder, config: TrainConfig, data: DataSet): FloatStart {
  const wanted = floatConfig(config, data);
  const { allowBroken: _, ...determining } = wanted;
  const key = createHash('sha256').update(JSON.stringify([determining, float.defaults.optimizer, digestOf(data)]));
  const path = join(dirname(run.path), `float-start-${wanted.model}-${key.digest('hex').slice(0, 12)}`);
  const folder = new RunFolder(path);
  const isDone = folder.exists && folder.readMetrics().length >= wanted.epochs;
  const does = isDone ? 'starts from the float network of' : 'needs a trained float network first: trained now in';
  return {
    folder,
    config: wanted,
    isDone,
    note: `${config.method} ${does} ${path} (${wanted.epochs} epochs; --init <run> takes another, --init ${noStart} begins at random)`,
  };
}
