import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf, tensor } from '../op.ts';

/** x where it is positive, else slope[c] x */
export const prelu = definePackedOp('prelu', { slope: tensor })({
  ...elementwise,
  prepare: ({ node, output, kernels }, tensors) => {
    const [rows, channels] = [pixelsOf(output), channelsOf(output)];
    const slope = tensors.floats(node.slope, channels);
    return floatWork(([x], y, batch) => kernels.prelu(x!.floats, slope, y.floats, batch * rows, channels));
  },
});
