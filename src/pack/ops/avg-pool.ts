import type { PoolGeometry } from '../../core/conv-geometry.ts';
import { avgPool as packed } from '../../runtime/ops/avg-pool.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const avgPool = defineTranslation(
  'avgPool',
  'pools',
  ({ attributes: { geometry } }: Trace<{ geometry: PoolGeometry }>, at) => {
    const { window, stride, pad } = geometry;
    return [nodeOf(packed, at, { window, stride, pad })];
  },
);
