import { toSigns } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf, tensor } from '../op.ts';

/** scale[c] x + shift[c] >= 0 */
export const affineSign = definePackedOp('affineSign', { scale: tensor, shift: tensor })({
  ...toSigns,
  prepare: ({ node, output, kernels }, tensors) => {
    const [rows, channels] = [pixelsOf(output), channelsOf(output)];
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    return {
      kernel: 'threshold-pack',
      run: ([x], y, batch) => kernels.packAffineSigns(x!.floats, scale, shift, y.words, batch * rows, channels),
    };
  },
});
