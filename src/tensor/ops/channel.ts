import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

const noResidual = new Float32Array(0);

function requireChannels(op: string, x: Tensor, values: Tensor): void {
  if (values.size === x.channels) return;
  throw new ShapeError(`${op}: ${formatShape(values.shape)} is not one value per channel of ${formatShape(x.shape)}`);
}

/** y = x*scale[c] + shift[c] */
function affine(x: Float32Array, scale: Float32Array, shift: Float32Array, rows: number, y: Float32Array): void {
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  kernels().channelAffine(x, scale, shift, noResidual, low, high, y, rows, scale.length);
}

/** Evaluated as one affine map per channel, so that packing folds it like a batch-norm. */
const asAffine = (scale: Float32Array, shift: Float32Array) => ({
  attributes: { scale, shift, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
});

/**
 * x + shift[c], learned.
 *
 * @param x [...,C]
 * @param shift [C]
 * Source: Liu 2020 (ReActNet), eq. 3 and 5.
 */
export function channelShift(x: Tensor, shift: Tensor): Tensor {
  requireChannels('channelShift', x, shift);
  const ones = floats(x.channels).fill(1);
  const y = emptyTensor(x.shape);
  affine(x.data, ones, shift.data, x.rows, y.data);
  const backward = (dy: Float32Array) => [
    dy,
    gradientOf(shift, (ds) => kernels().columnSums(dy, ds, x.rows, x.channels)),
  ];
  return record('affine', [x, shift], y, backward, asAffine(ones, shift.data));
}

/**
 * x * scale[c], learned.
 *
 * @param x [...,C]
 * @param scale [C]
 */
export function channelScale(x: Tensor, scale: Tensor): Tensor {
  requireChannels('channelScale', x, scale);
  const zeros = floats(x.channels).fill(0);
  const y = emptyTensor(x.shape);
  affine(x.data, scale.data, zeros, x.rows, y.data);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => affine(dy, scale.data, zeros, x.rows, dx)),
    gradientOf(scale, (ds) => kernels().columnDots(dy, x.data, ds, x.rows, x.channels)),
  ];
  return record('affine', [x, scale], y, backward, asAffine(scale.data, zeros));
}
