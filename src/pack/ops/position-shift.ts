import { positionShift as packed } from '../../runtime/ops/position-shift.ts';
import { defineTranslation, nodeOf, stored } from '../translation.ts';

export const positionShift = defineTranslation('positionShift', 'passes', ({ map }: { map: Float32Array }, at) => [
  nodeOf(packed, at, { map: stored(map) }),
]);
