import { subsamplePad as packed } from '../../runtime/ops/subsample-pad.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

type Attributes = { stride: number; channels: number };

export const subsamplePad = defineTranslation('subsamplePad', 'computes', ({ stride, channels }: Attributes, at) => [
  nodeOf(packed, at, { stride, channels }),
]);
