import { binary, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** a b */
export const multiply = definePackedOp('multiply')({
  ...binary,
  prepare: ({ kernels }) => floatWork(([a, b], y) => kernels.multiply(a!.floats, b!.floats, y.floats)),
});
