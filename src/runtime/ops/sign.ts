import { toSigns } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf } from '../op.ts';

/** x >= 0 */
export const sign = definePackedOp('sign')({
  ...toSigns,
  prepare: ({ output, kernels }) => ({
    kernel: 'sign-pack',
    run: ([x], y, batch) => kernels.packSigns(x!.floats, y.words, batch * pixelsOf(output), channelsOf(output)),
  }),
});
