import type { Ties } from '../../exact/unit-levels.ts';
import { unitLevels as packed } from '../../runtime/ops/unit-levels.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const unitLevels = defineTranslation(
  'unitLevels',
  'computes',
  ({ attributes: { bits, ties } }: Trace<{ bits: number; ties: Ties }>, at) => [
    nodeOf(packed, at, { bits, ties: ties === 'even' ? ties : undefined }),
  ],
);
