import { factorFor, floatWork } from '../elementwise.ts';
import { definePackedOp, lengthOf } from '../op.ts';

/** A factor for each image, itself computed. */
export const sampleScale = definePackedOp('sampleScale')({
  ...factorFor('row'),
  prepare: ({ output, kernels }) =>
    floatWork(([x, factor], y, batch) =>
      kernels.rowScale(x!.floats, factor!.floats, y.floats, batch, lengthOf(output)),
    ),
});
