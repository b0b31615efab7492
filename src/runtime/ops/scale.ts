import { finite } from '../../core/fields.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** factor x */
export const scale = definePackedOp('scale', { factor: finite })({
  ...elementwise,
  prepare: ({ node, kernels }) => floatWork(([x], y) => kernels.blend(x!.floats, node.factor, 0, y.floats.fill(0))),
});
