import { channelCopy } from '../../core/block-copy.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { forBatch } from '../for-batch.ts';
import { alike, channelsOf, definePackedOp, pixelsOf, type ValueKind } from '../op.ts';

/** Joins channels. */
export const concat = definePackedOp('concat')({
  ...elementwise,
  takes: Array<ValueKind>(64).fill('floats'),
  least: 1,
  shape: (_, [first, ...others]) => {
    const pixels = first!.slice(0, -1);
    if (!others.every((shape) => alike([...shape.slice(0, -1), 1], [...pixels, 1]))) return null;
    return [...pixels, others.reduce((sum, shape) => sum + shape.at(-1)!, first!.at(-1)!)];
  },
  prepare: ({ inputs, output, kernels }) => {
    const channels = channelsOf(output);
    let begin = 0;
    const copies = inputs.map((input) => {
      const [own, to] = [channelsOf(input), { begin, channels }];
      begin += own;
      return forBatch((batch) => channelCopy(batch * pixelsOf(output), own, { begin: 0, channels: own }, to));
    });
    return floatWork((parts, y, batch) => {
      for (const [i, part] of parts.entries()) kernels.copyBlocks(part.floats, y.floats, copies[i]!(batch));
    });
  },
});
