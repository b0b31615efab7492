import { elementwise, floatWork } from '../elementwise.ts';
import { definePackedOp, lengthOf } from '../op.ts';

/** mean|x| of each image */
export const sampleAbsMean = definePackedOp('sampleAbsMean')({
  ...elementwise,
  shape: () => [1],
  prepare: ({ inputs, kernels }) =>
    floatWork(([x], y, batch) => kernels.rowAbsMeans(x!.floats, y.floats, batch, lengthOf(inputs[0]!))),
});
