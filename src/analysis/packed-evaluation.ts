import { Batches } from '../data/batches.ts';
import { type DataSet, sampleOf } from '../data/dataset.ts';
import { fitToModel, type ModelImages } from '../data/fit-model.ts';
import type { Network } from '../models/network.ts';
import { type Packed, type PackOptions, pack } from '../pack/pack.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Evaluation, evaluate } from '../train/evaluate.ts';

/** Packs a network, verified on the first test images. @param options as of `pack` */
export async function packForData(
  network: Network,
  data: DataSet,
  options: Pick<PackOptions, 'allowFloat' | 'verifyOn' | 'ops'> = {},
): Promise<Packed> {
  const { images, count } = await new Batches(data, data.test, 64).plain(0);
  return pack(network, new Tensor(images, [count, ...data.shape]), {
    classes: data.classes,
    mean: data.mean,
    std: data.std,
    ...options,
  });
}

/** What a packed model says of the images that it is for. */
export const packedImages = ({ graph }: Pick<PackedModel, 'graph'>): ModelImages => ({ ...graph, shape: graph.input });

/**
 * Accuracy of a packed model on the test images, or on a fixed sample of `limit` of them, as the model sees them (`fitToModel`).
 *
 * @returns the confusion of the model's classes, in its order
 * @throws DataError when they are not its images
 */
export function evaluatePacked(
  model: Pick<PackedModel, 'run' | 'graph'>,
  data: DataSet,
  limit = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  const { data: fitted } = fitToModel(data, packedImages(model), 'evaluate');
  return evaluate(
    (images, count) => model.run({ data: images, shape: [count, ...fitted.shape] }),
    new Batches(fitted, sampleOf(fitted.test, limit), 256),
    fitted.classes.length,
  );
}
