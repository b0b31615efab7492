import { addOuter as packed } from '../../runtime/ops/add-outer.ts';
import { defineTranslation, nodeOf, stored, type Trace } from '../translation.ts';

export const addOuter = defineTranslation(
  'addOuter',
  'passes',
  ({ attributes: { channels } }: Trace<{ channels: Float32Array }>, at) => [
    nodeOf(packed, at, { factors: stored(channels) }),
  ],
);
