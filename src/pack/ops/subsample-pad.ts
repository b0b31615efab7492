import { subsamplePad as packed } from '../../runtime/ops/subsample-pad.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const subsamplePad = defineTranslation(
  'subsamplePad',
  'computes',
  ({ attributes: { stride, channels } }: Trace<{ stride: number; channels: number }>, at) => [
    nodeOf(packed, at, { stride, channels }),
  ],
);
