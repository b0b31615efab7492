import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf, tensor } from '../op.ts';

/** x where it is positive, else slope[c] x */
export const prelu = definePackedOp('prelu', { slope: tensor })({
  ...elementwise,
  prepare: ({ node, output, kernels }, tensors) => {
    const slope = tensors.floats(node.slope, channelsOf(output));
    return floatWork(([x], y, batch) =>
      kernels.prelu(x!.floats, slope, y.floats, batch * pixelsOf(output), slope.length),
    );
  },
});
