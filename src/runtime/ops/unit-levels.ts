import { oneOf, optional, whole } from '../../core/fields.ts';
import { unitLevels as levelsOf } from '../../exact/unit-levels.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** round(clip(x, 0, 1)(2^bits - 1)) / (2^bits - 1). Absent ties: halves go up. */
export const unitLevels = definePackedOp('unitLevels', { bits: whole(1, 31), ties: optional(oneOf('even')) })({
  ...elementwise,
  prepare: ({ node }) => floatWork(([x], y) => levelsOf(x!.floats, node.bits, y.floats, node.ties ?? 'up')),
});
