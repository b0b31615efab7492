import { either, finite, oneOf } from '../../core/fields.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, none, pixelsOf, tensor } from '../op.ts';

/** JSON has no infinity. */
const bound = either(finite, oneOf('-inf', 'inf'));

export const boundOf = (value: number | '-inf' | 'inf'): number =>
  typeof value === 'number' ? value : value === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;

/** clamp(scale[c] x + shift[c] + residual, low, high) */
export const affine = definePackedOp('affine', { scale: tensor, shift: tensor, low: bound, high: bound })({
  ...elementwise,
  takes: ['floats', 'floats'],
  least: 1,
  prepare: ({ node, output, kernels }, tensors) => {
    const [rows, channels] = [pixelsOf(output), channelsOf(output)];
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    const [low, high] = [boundOf(node.low), boundOf(node.high)];
    return floatWork(([x, residual], y, batch) => {
      const added = residual?.floats ?? none;
      kernels.channelAffine(x!.floats, scale, shift, added, low, high, y.floats, batch * rows, channels);
    });
  },
});
