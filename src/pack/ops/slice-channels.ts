import { sliceChannels as packed } from '../../runtime/ops/slice-channels.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const sliceChannels = defineTranslation(
  'sliceChannels',
  'computes',
  ({ attributes: { begin, end } }: Trace<{ begin: number; end: number }>, at) => [nodeOf(packed, at, { begin, end })],
);
