import { factorFor, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf } from '../op.ts';

/** x[pixel, c] factor[pixel] */
export const pixelScale = definePackedOp('pixelScale')({
  ...factorFor('pixel'),
  prepare: ({ output, kernels }) =>
    floatWork(([x, factor], y, batch) =>
      kernels.rowScale(x!.floats, factor!.floats, y.floats, batch * pixelsOf(output), channelsOf(output)),
    ),
});
