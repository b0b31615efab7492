import { avgPool as packed } from '../../runtime/ops/avg-pool.ts';
import { defineTranslation, nodeOf, type PoolAttributes, poolFieldsOf } from '../translation.ts';

export const avgPool = defineTranslation('avgPool', 'pools', (given: PoolAttributes, at) => [
  nodeOf(packed, at, poolFieldsOf(given)),
]);
