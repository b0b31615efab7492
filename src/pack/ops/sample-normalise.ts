import { sampleNormalise as packed } from '../../runtime/ops/sample-normalise.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

export const sampleNormalise = defineTranslation(
  'sampleNormalise',
  'keeps',
  ({ centred }: { centred: boolean }, at) => [nodeOf(packed, at, { centred })],
);
