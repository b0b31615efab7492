import { toSigns } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf } from '../op.ts';

/** x >= 0 */
export const sign = definePackedOp('sign')({
  ...toSigns,
  prepare: ({ output, kernels }) => {
    const [rows, channels] = [pixelsOf(output), channelsOf(output)];
    return {
      kernel: 'sign-pack',
      run: ([x], y, batch) => kernels.packSigns(x!.floats, y.words, batch * rows, channels),
    };
  },
});
