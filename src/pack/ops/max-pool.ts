import { maxPool as packed } from '../../runtime/ops/max-pool.ts';
import { defineTranslation, nodeOf, type PoolAttributes, poolFieldsOf } from '../translation.ts';

export const maxPool = defineTranslation('maxPool', 'pools', (given: PoolAttributes, at) => [
  nodeOf(packed, at, poolFieldsOf(given)),
]);
