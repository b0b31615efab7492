import { Batches } from '../data/batches.ts';
import { type DataSet, sampleOf } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import { type Packed, pack } from '../pack/pack.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Evaluation, evaluate } from '../train/evaluate.ts';

/** Name of the packed model in a run folder. */
export const packedFile = 'model.safetensors';

/** Packs a network, verified on the first test images. @param allowFloat as of `pack` */
export async function packForData(
  network: Network,
  data: DataSet,
  allowFloat: readonly string[] | 'all' = [],
): Promise<Packed> {
  const { images, count } = await new Batches(data, data.test, 64).plain(0);
  return pack(network, new Tensor(images, [count, ...data.shape]), {
    classes: data.classes,
    mean: data.mean,
    std: data.std,
    allowFloat,
  });
}

/** Accuracy of a packed model on the test images, or on a fixed sample of `limit` of them. */
export function evaluatePacked(
  model: Pick<PackedModel, 'run'>,
  data: DataSet,
  limit = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  return evaluate(
    (images) => model.run(images),
    new Batches(data, sampleOf(data.test, limit), 256),
    data.classes.length,
  );
}
