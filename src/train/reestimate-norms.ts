import type { Network } from '../models/network.ts';
import { batchNormsOf } from '../nn/batch-norm.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

/**
 * Measures batch-norm's statistics anew, as plain means over batches of training images: the running ones lag behind weights that flip.
 * Everything but batch-norm runs as in evaluation.
 *
 * @param batches pixels [N,H,W,C] of each
 */
export async function reestimateNorms(
  network: Network,
  batches: AsyncIterable<{ images: Float32Array; count: number }>,
): Promise<void> {
  const norms = batchNormsOf(network);
  const momenta = norms.map(({ momentum }) => momentum);
  const wasTraining = network.training;
  network.setTraining(false);
  for (const norm of norms) norm.training = true;
  try {
    let seen = 0;
    for await (const { images, count } of batches) {
      seen++;
      for (const norm of norms) norm.momentum = 1 / seen;
      inference(() => network.forward(new Tensor(images, [count, ...network.config.inputShape])));
    }
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = momenta[i]!;
    });
    network.setTraining(wasTraining);
  }
}
