import { kernels } from '../../backend/select.ts';
import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { affineColumns } from '../../exact/affine-columns.ts';
import { floats } from '../storage.ts';
import { emptyTensor, gradientOf, record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

function requireChannels(op: string, x: Tensor, values: Tensor): void {
  if (values.size === x.channels) return;
  throw new ShapeError(`${op}: ${formatShape(values.shape)} is not one value per channel of ${formatShape(x.shape)}`);
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
  affineColumns(kernels(), x.data, ones, shift.data, y.data, x.rows);
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
  affineColumns(kernels(), x.data, scale.data, zeros, y.data, x.rows);
  const backward = (dy: Float32Array) => [
    gradientOf(x, (dx) => affineColumns(kernels(), dy, scale.data, zeros, dx, x.rows)),
    gradientOf(scale, (ds) => kernels().columnDots(dy, x.data, ds, x.rows, x.channels)),
  ];
  return record('affine', [x, scale], y, backward, asAffine(scale.data, zeros));
}
