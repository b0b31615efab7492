import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, lengthOf, pixelsOf } from '../op.ts';

/** Mean over the whole image, for each channel. */
export const globalAvgPool = definePackedOp('globalAvgPool')({
  ...elementwise,
  shape: (_, [x]) => [x!.at(-1)!],
  /** Partial sums of up to 32 chunks, and sums in double. */
  memory: ({ output }) => ({ scratch: 4 * 64 * lengthOf(output) }),
  prepare: ({ inputs: [input], kernels }) => {
    const [rows, channels] = [pixelsOf(input!), channelsOf(input!)];
    return floatWork(([x], y, batch) => {
      for (let n = 0; n < batch; n++) {
        const pixels = x!.floats.subarray(n * rows * channels, (n + 1) * rows * channels);
        kernels.columnSums(pixels, y.floats.subarray(n * channels, (n + 1) * channels), rows, channels);
      }
      kernels.blend(y.floats, 0, 1 / rows, y.floats);
    });
  },
});
