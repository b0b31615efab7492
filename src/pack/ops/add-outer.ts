import { addOuter as packed } from '../../runtime/ops/add-outer.ts';
import { defineTranslation, nodeOf, stored } from '../translation.ts';

export const addOuter = defineTranslation('addOuter', 'passes', ({ channels }: { channels: Float32Array }, at) => [
  nodeOf(packed, at, { factors: stored(channels) }),
]);
