import { kernels } from '../backend/select.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { floats } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { total } from '../tensor/totals.ts';

/** x*factor + shift; evaluated as an affine map per channel, so that packing folds it. */
function uniformAffine(x: Tensor, factor: number, shift: number, inputs: Tensor[], backward: Backward): Tensor {
  const [factors, shifts] = [floats(x.channels).fill(factor), floats(x.channels).fill(shift)];
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const y = emptyTensor(x.shape);
  affineColumns(kernels(), x.data, factors, shifts, y.data, x.rows);
  const attributes = { scale: factors, shift: shifts, low, high };
  return record('affine', inputs, y, (dy) => backward(dy, y), { attributes });
}

type Backward = (dy: Float32Array, y: Tensor) => (Float32Array | null)[];

/**
 * x + shift, one learned number for the layer.
 *
 * @param x [...,C]
 * @param shift [1]
 */
export function layerShift(x: Tensor, shift: Tensor): Tensor {
  const backward: Backward = (dy) => [dy, gradientOf(shift, (ds) => ds.fill(total(x, dy)))];
  return uniformAffine(x, 1, shift.data[0]!, [x, shift], backward);
}

/**
 * (x - centre)/spread, two learned numbers for the layer.
 *
 * @param x [...,C]
 * @param centre [1]
 * @param spread [1]
 */
export function layerNormalise(x: Tensor, centre: Tensor, spread: Tensor): Tensor {
  const factor = 1 / spread.data[0]!;
  const backward: Backward = (dy, y) => {
    const dCentre = gradientOf(centre, (d) => d.fill(-factor * total(x, dy)));
    const dSpread = gradientOf(spread, (d) => d.fill(-factor * total(x, dy, y.data)));
    kernels().blend(dy, 0, factor, dy);
    return [dy, dCentre, dSpread];
  };
  return uniformAffine(x, factor, -centre.data[0]! * factor, [x, centre, spread], backward);
}
