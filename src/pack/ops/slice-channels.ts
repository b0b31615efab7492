import { sliceChannels as packed } from '../../runtime/ops/slice-channels.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

export const sliceChannels = defineTranslation(
  'sliceChannels',
  'computes',
  (given: { begin: number; end: number }, at) => [nodeOf(packed, at, given)],
);
