import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SignumError, UsageError } from '../core/errors.ts';
import { Batches } from '../data/batches.ts';
import { type DataSet, sampleOf } from '../data/dataset.ts';
import { fileProblem } from '../data/files.ts';
import type { Network } from '../models/network.ts';
import { type Packed, pack } from '../pack/pack.ts';
import { loadPackedModel, type PackedModel } from '../runtime/packed-model.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { LoadedCheckpoint } from '../train/checkpoint.ts';
import { type Evaluation, evaluate } from '../train/evaluate.ts';
import { loadTrained } from '../train/load-network.ts';

export const packedFile = 'model.safetensors';

/** The network of a run folder or checkpoint file, with its trained weights. */
export function loadNetwork(path: string): { network: Network; checkpoint: LoadedCheckpoint } {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; give a run folder or a checkpoint file`);
  const loaded = loadTrained(path);
  loaded.network.setTraining(false);
  return loaded;
}

/** A packed model from its file, or from a run folder that holds one. */
export function loadPacked(path: string): PackedModel {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; \`signum pack <run>\` writes ${packedFile}`);
  const file = statSync(path).isDirectory() ? join(path, packedFile) : path;
  if (!existsSync(file)) throw new UsageError(`${path} holds no ${packedFile}; run \`signum pack ${path}\` first`);
  try {
    return loadPackedModel(readFileSync(file));
  } catch (error) {
    if (error instanceof SignumError) throw error;
    throw fileProblem('read', file, error);
  }
}

/** Packs a network, verified on the first test images. */
export async function packForData(network: Network, data: DataSet): Promise<Packed> {
  const { images, count } = await new Batches(data, data.test, 64).plain(0);
  return pack(network, new Tensor(images, [count, ...data.shape]), {
    classes: data.classes,
    mean: data.mean,
    std: data.std,
  });
}

/** Accuracy of a packed model on the test images, or on a fixed sample of `limit` of them. */
export function evaluatePacked(
  model: PackedModel,
  data: DataSet,
  limit = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  return evaluate(
    (images) => model.run(images),
    new Batches(data, sampleOf(data.test, limit), 256),
    data.classes.length,
  );
}

/** The run folder for a name: `runs/<name>` under the working directory, or a path as given. */
export function runPath(name: string): string {
  return /[/\\]/.test(name) ? name : join('runs', name);
}
