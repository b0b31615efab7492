import { sampleNormalise as packed } from '../../runtime/ops/sample-normalise.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const sampleNormalise = defineTranslation(
  'sampleNormalise',
  'keeps',
  ({ attributes: { centred } }: Trace<{ centred: boolean }>, at) => [nodeOf(packed, at, { centred })],
);
