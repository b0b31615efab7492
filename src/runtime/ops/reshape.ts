import { sizeOf } from '../../core/shape.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { definePackedOp, shape } from '../op.ts';

/** The same values under another shape. */
export const reshape = definePackedOp('reshape', { shape })({
  ...elementwise,
  shape: (node, [x]) => (sizeOf(node.shape) === sizeOf(x!) ? node.shape : null),
  prepare: () => floatWork(([x], y) => y.floats.set(x!.floats)),
});
