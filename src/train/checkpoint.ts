import * as z from 'zod';
import { type Arithmetic, arithmetic } from '../backend/arithmetic.ts';
import type { ScheduleValues } from '../binarize/context.ts';
import { FormatError, UsageError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { readSafetensors, type SafetensorsFile, type StoredTensor, writeSafetensors } from '../core/safetensors.ts';
import { sayOnce } from '../core/say-once.ts';
import { formatShape } from '../core/shape.ts';
import { readWhole } from '../data/files.ts';
import type { Point } from '../methods/method.ts';
import type { Network, NetworkConfig } from '../models/network.ts';
import { firstForm } from '../models/table.ts';
import type { OptimizerState } from '../optim/optimizer.ts';
import { bestSchema } from './best.ts';
import { policySchema, tricksSchema } from './config.ts';
import { structureSchema } from './effective-schema.ts';

/** Where a training stands; together with the arrays it determines everything to come. */
const progressSchema = z.object({
  format: z.literal('signum-checkpoint'),
  version: z.literal(1),
  network: z.object({
    model: z.string(),
    method: z.string(),
    inputShape: z.tuple([z.int(), z.int(), z.int()]),
    classes: z.int(),
    width: z.number(),
    seed: z.number(),
    tricks: tricksSchema.optional(),
    policy: policySchema.optional(),
    /** What it ends with; the classifier in files that do not say. */
    head: z.object({ id: z.string(), settings: z.record(z.string(), z.unknown()) }).optional(),
    /** Both of the network as it was trained; files of version 0.1 are of first forms. */
    revision: z.int().positive().optional(),
    structure: structureSchema.optional(),
  }),
  /** Of the backend that trains; not in files of before it was recorded. */
  arithmetic: z.object({ backend: z.string(), version: z.number() }).optional(),
  /** Epoch to continue with, and the batch inside it. */
  epoch: z.int().nonnegative(),
  batch: z.int().nonnegative(),
  /** Optimiser steps done. */
  step: z.int().nonnegative(),
  /** Of a run in stages: which one this is of, and the steps that were done when it began. */
  stage: z.object({ index: z.int().nonnegative(), step: z.int().nonnegative() }).optional(),
  random: z.array(z.number()).length(4),
  /** Of the method's schedule; files of before it was stored are of methods without stages. */
  point: z
    .object({ progress: z.number(), epoch: z.number(), stage: z.string().optional() })
    .default({ progress: 1, epoch: 0 }),
  /** What the method's schedule had set there; files of version 0.1 do not say. */
  values: z.record(z.string(), z.union([z.number(), z.literal('Infinity').transform(Number)])).optional(),
  /** Sums of the running epoch. */
  running: z.object({
    loss: z.number(),
    /** Of what the loss is made of, where it is several. */
    parts: z.record(z.string(), z.number()).optional(),
    hits: z.number(),
    images: z.number(),
    seconds: z.number(),
  }),
  /** What the network is trained for; classification in files that do not say. */
  task: z.string().optional(),
  /** Norms of the epoch's last gradients by layer, once it is over: its measurements may be made after a kill. */
  gradients: z.record(z.string(), z.number()).optional(),
  /** The best epoch so far, where the run asks for one. */
  best: bestSchema.optional(),
  /** How images were normalised, and the class names: what packing and prediction need. */
  classes: z.array(z.string()),
  /** Training images when it was saved; their order hangs on it. Files of before do not say. */
  images: z.int().positive().optional(),
  /** How these are sorted; in files of version 0.1, and of sets with one order only, not there. */
  order: z.literal('class').optional(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});

export type Progress = Omit<
  z.infer<typeof progressSchema>,
  'format' | 'version' | 'network' | 'arithmetic' | 'random' | 'point' | 'values'
>;

export interface LoadedCheckpoint extends Progress {
  readonly network: NetworkConfig;
  readonly arithmetic?: Arithmetic | undefined;
  readonly random: readonly number[];
  readonly point: Point;
  readonly values?: ScheduleValues | undefined;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Packed signs of each binary layer's latent weights when the running epoch began; bits of the layer's flattened weights. */
export type EpochSigns = ReadonlyMap<string, Uint32Array>;

function networkTensors(network: Network): [string, StoredTensor][] {
  return [
    ...network
      .parameters()
      .map(({ name, value }): [string, StoredTensor] => [name, { shape: value.shape, data: value.data }]),
    ...network
      .stateArrays()
      .map(({ name, value }): [string, StoredTensor] => [name, { shape: [value.data.length], data: value.data }]),
  ];
}

/** JSON has no infinity, which sharpness may reach. */
const storable = (values: ScheduleValues): Record<string, number | string> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value === Number.POSITIVE_INFINITY ? 'Infinity' : value]),
  );

/** Writes weights, statistics, optimiser moments, signs and progress as one safetensors file. */
export function saveCheckpoint(
  write: (file: Uint8Array) => void,
  network: Network,
  optimizer: OptimizerState,
  signs: EpochSigns,
  progress: Progress,
  companion?: Network,
  others: readonly [string, StoredTensor][] = [],
): void {
  const tensors: [string, StoredTensor][] = [
    ...networkTensors(network),
    ...(companion
      ? networkTensors(companion).map(([name, data]): [string, StoredTensor] => [`teacher/${name}`, data])
      : []),
    ...[...optimizer].map(([name, data]): [string, StoredTensor] => [
      `optimizer/${name}`,
      { shape: [data.length], data },
    ]),
    ...[...signs].map(([name, data]): [string, StoredTensor] => [`signs/${name}`, { shape: [data.length], data }]),
    ...others,
  ];
  const metadata = {
    format: 'signum-checkpoint',
    version: 1,
    network: network.config,
    random: network.context.random.state,
    point: network.point,
    values: storable(network.context.values),
    arithmetic: arithmetic(),
    ...progress,
  };
  write(writeSafetensors(tensors, { signum: JSON.stringify(metadata) }));
}

/** @throws FormatError when the file is damaged or no checkpoint */
export function readCheckpoint(path: string): LoadedCheckpoint {
  const { tensors, metadata, checksummed } = readIntact(path, readWhole(path));
  let progress: z.infer<typeof progressSchema>;
  try {
    progress = progressSchema.parse(JSON.parse(metadata['signum'] ?? 'null'));
  } catch {
    throw new FormatError(`${path} is not a Signum checkpoint, or its metadata is damaged`);
  }
  for (const [name, { data }] of tensors) {
    const wrong = data instanceof Float32Array ? data.findIndex((value) => !Number.isFinite(value)) : -1;
    if (wrong >= 0)
      throw new FormatError(
        `${path}: tensor ${quoted(name)} holds ${data[wrong]} at ${wrong}: the file is damaged, or training diverged; train again, with a lower learning rate if it diverged`,
      );
  }
  if (!checksummed)
    sayOnce(`${path} is of a time before checksums, so that damage may go unnoticed; training on adds one`);
  const { structure, ...stored } = progress.network;
  const network = structure ? { ...stored, structure } : firstForm(stored);
  return { ...progress, network, tensors };
}

function readIntact(path: string, bytes: Uint8Array): SafetensorsFile {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${path}: ${error.message}`) : error;
  }
}

/**
 * Copies the arrays of a checkpoint into a network built from the same config, and the moments into `optimizer`.
 *
 * @throws FormatError when a parameter is missing or has another shape, UsageError when the checkpoint is of another network
 */
export function restore(
  checkpoint: LoadedCheckpoint,
  network: Network,
  optimizer?: OptimizerState,
  companion?: Network,
): void {
  const { model, method } = checkpoint.network;
  if (model !== network.config.model || method !== network.config.method) {
    throw new UsageError(
      `the checkpoint is of ${model}/${method}, not of ${network.config.model}/${network.config.method}`,
    );
  }
  const copy = (name: string, target: Float32Array) => {
    const stored = checkpoint.tensors.get(name);
    if (!(stored?.data instanceof Float32Array) || stored.data.length !== target.length) {
      throw new FormatError(
        `checkpoint: "${name}" is ${stored ? formatShape(stored.shape) : 'missing'}, the network needs ${target.length} floats`,
      );
    }
    target.set(stored.data);
  };
  for (const { name, value } of [...network.parameters(), ...network.stateArrays()]) copy(name, value.data);
  for (const { name, value } of [...(companion?.parameters() ?? []), ...(companion?.stateArrays() ?? [])])
    copy(`teacher/${name}`, value.data);
  network.context.random.state = checkpoint.random;
  network.setPoint(checkpoint.point, checkpoint.values);
  if (!optimizer) return;
  for (const [name, { data }] of checkpoint.tensors) {
    if (name.startsWith('optimizer/') && data instanceof Float32Array)
      optimizer.set(name.slice('optimizer/'.length), data);
  }
}

/** The signs a checkpoint holds; none in those of a network without binary layers. */
export function epochSigns(checkpoint: LoadedCheckpoint): EpochSigns {
  const signs = new Map<string, Uint32Array>();
  for (const [name, { data }] of checkpoint.tensors) {
    if (name.startsWith('signs/') && data instanceof Uint32Array) signs.set(name.slice('signs/'.length), data);
  }
  return signs;
}
