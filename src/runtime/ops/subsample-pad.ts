import { subsampleCopy } from '../../core/block-copy.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { forBatch } from '../for-batch.ts';
import { asImage, count, definePackedOp } from '../op.ts';

/** Every `stride`-th pixel, with channels of zeros evenly on both sides. */
export const subsamplePad = definePackedOp('subsamplePad', { stride: count, channels: count })({
  ...elementwise,
  shape: ({ stride, channels }, [x]) => {
    const image = asImage(x!);
    if (!image || image[2] > channels) return null;
    return [Math.ceil(image[0] / stride), Math.ceil(image[1] / stride), channels];
  },
  prepare: ({ node, inputs: [input], kernels }) => {
    const image = asImage(input!.shape)!;
    const copy = forBatch((batch) => subsampleCopy([batch, ...image], node.stride, node.channels));
    return floatWork(([x], y, batch) => kernels.copyBlocks(x!.floats, y.floats.fill(0), copy(batch)));
  },
});
