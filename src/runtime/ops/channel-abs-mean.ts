import { elementwise, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf } from '../op.ts';

/** mean over channels of |x|, for each pixel */
export const channelAbsMean = definePackedOp('channelAbsMean')({
  ...elementwise,
  shape: (_, [x]) => [...x!.slice(0, -1), 1],
  prepare: ({ inputs: [input], kernels }) =>
    floatWork(([x], y, batch) =>
      kernels.rowAbsMeans(x!.floats, y.floats, batch * pixelsOf(input!), channelsOf(input!)),
    ),
});
