import { buildNetwork } from '../models/table.ts';
import { pack } from '../pack/pack.ts';
import { trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** The file of a narrow ResNet-20 for four classes, its statistics those of the images. @param images [N,8,8,1] */
export function packedNetwork(images: Float32Array): Uint8Array {
  const network = buildNetwork({
    model: 'resnet20',
    method: 'bnn',
    inputShape: [8, 8, 1],
    classes: 4,
    width: 0.5,
    seed: 1,
  });
  const batch = new Tensor(images, [images.length / 64, 8, 8, 1]);
  trainingStep(() => network.forward(batch));
  return pack(network, batch, { classes: ['a', 'b', 'c', 'd'], mean: [0.5], std: [0.25] }).bytes;
}
