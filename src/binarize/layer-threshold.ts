import { kernels } from '../backend/select.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * x + shift, one learned number for the layer; evaluated as an affine map per channel, so that packing folds it.
 *
 * @param x [...,C]
 * @param shift [1]
 */
export function layerShift(x: Tensor, shift: Tensor): Tensor {
  const [ones, shifts] = [floats(x.channels).fill(1), floats(x.channels).fill(shift.data[0]!)];
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const y = emptyTensor(x.shape);
  kernels().channelAffine(x.data, ones, shifts, new Float32Array(0), low, high, y.data, x.rows, x.channels);
  const backward = (dy: Float32Array) => [
    dy,
    gradientOf(shift, (ds) => {
      const perChannel = floats(x.channels);
      kernels().columnSums(dy, perChannel, x.rows, x.channels);
      ds[0] = perChannel.reduce((sum, value) => sum + value, 0);
      release(perChannel);
    }),
  ];
  return record('affine', [x, shift], y, backward, { attributes: { scale: ones, shift: shifts, low, high } });
}
