import type { Ties } from '../../exact/unit-levels.ts';
import { unitLevels as packed } from '../../runtime/ops/unit-levels.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

export const unitLevels = defineTranslation('unitLevels', 'computes', (given: { bits: number; ties: Ties }, at) => [
  nodeOf(packed, at, { bits: given.bits, ties: given.ties === 'even' ? 'even' : undefined }),
]);
