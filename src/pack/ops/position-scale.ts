import { positionScale as packed } from '../../runtime/ops/position-scale.ts';
import { defineTranslation, nodeOf, stored, type Trace } from '../translation.ts';

export const positionScale = defineTranslation(
  'positionScale',
  'passes',
  ({ attributes: { map } }: Trace<{ map: Float32Array }>, at) => [nodeOf(packed, at, { map: stored(map) })],
);
