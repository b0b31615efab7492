import { finite } from '../../core/fields.ts';
import { decodeLevels } from '../../exact/level-codes.ts';
import { codeFields, codesOf } from '../codes.ts';
import { elementwise, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** `step` times the code of x: for readers that multiply floats. */
export const codeLevels = definePackedOp('codeLevels', { ...codeFields, step: finite })({
  ...elementwise,
  prepare: ({ node }, tensors) => {
    const codes = codesOf(node, tensors);
    return floatWork(([x], y) => decodeLevels(x!.floats, codes, node.step, y.floats));
  },
});
