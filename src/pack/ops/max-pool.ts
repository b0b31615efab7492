import type { PoolGeometry } from '../../core/conv-geometry.ts';
import { maxPool as packed } from '../../runtime/ops/max-pool.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const maxPool = defineTranslation(
  'maxPool',
  'pools',
  ({ attributes: { geometry } }: Trace<{ geometry: PoolGeometry }>, at) => {
    const { window, stride, pad } = geometry;
    return [nodeOf(packed, at, { window, stride, pad })];
  },
);
