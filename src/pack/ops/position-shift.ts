import { positionShift as packed } from '../../runtime/ops/position-shift.ts';
import { defineTranslation, nodeOf, stored, type Trace } from '../translation.ts';

export const positionShift = defineTranslation(
  'positionShift',
  'passes',
  ({ attributes: { map } }: Trace<{ map: Float32Array }>, at) => [nodeOf(packed, at, { map: stored(map) })],
);
