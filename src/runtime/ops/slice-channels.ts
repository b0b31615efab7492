import { channelCopy } from '../../core/block-copy.ts';
import { whole } from '../../core/fields.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { forBatch } from '../for-batch.ts';
import { channelsOf, count, definePackedOp, pixelsOf } from '../op.ts';

/** Channels [begin, end) of every pixel. */
export const sliceChannels = definePackedOp('sliceChannels', { begin: whole(0, 1 << 24), end: count })({
  ...elementwise,
  shape: ({ begin, end }, [x]) => (begin < end && end <= x!.at(-1)! ? [...x!.slice(0, -1), end - begin] : null),
  prepare: ({ node, inputs: [input], output, kernels }) => {
    const [source, kept] = [{ begin: node.begin, channels: channelsOf(input!) }, channelsOf(output)];
    const copy = forBatch((batch) => channelCopy(batch * pixelsOf(output), kept, source, { begin: 0, channels: kept }));
    return floatWork(([x], y, batch) => kernels.copyBlocks(x!.floats, y.floats, copy(batch)));
  },
});
