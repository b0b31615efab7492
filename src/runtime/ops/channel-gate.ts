import { gateChannels } from '../../exact/sample-norm.ts';
import { factorFor, floatWork } from '../elementwise.ts';
import { channelsOf, definePackedOp } from '../op.ts';

/** x[pixel, c] gate[c], a gate for each image */
export const channelGate = definePackedOp('channelGate')({
  ...factorFor('channel'),
  prepare: ({ output, kernels }) =>
    floatWork(([x, gate], y, batch) =>
      gateChannels(kernels, x!.floats, gate!.floats, y.floats, batch, channelsOf(output)),
    ),
});
