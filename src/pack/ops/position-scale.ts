import { positionScale as packed } from '../../runtime/ops/position-scale.ts';
import { defineTranslation, nodeOf, stored } from '../translation.ts';

export const positionScale = defineTranslation('positionScale', 'passes', ({ map }: { map: Float32Array }, at) => [
  nodeOf(packed, at, { map: stored(map) }),
]);
