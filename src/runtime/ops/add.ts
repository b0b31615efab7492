import { binary, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** a + b */
export const add = definePackedOp('add')({
  ...binary,
  prepare: ({ kernels }) => floatWork(([a, b], y) => kernels.add(a!.floats, b!.floats, y.floats)),
});
