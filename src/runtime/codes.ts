import { whole } from '../core/fields.ts';
import type { LevelCodes } from '../exact/level-codes.ts';
import { type TensorName, tensor } from './op.ts';
import type { ModelTensors } from './tensors.ts';

/** Few-bit codes of floats by comparison. */
export const codeFields = { thresholds: tensor, patterns: tensor, levels: whole(1, 256) };

type CodeNode = { readonly thresholds: TensorName; readonly patterns: TensorName; readonly levels: number };
export const codesOf = (node: CodeNode, tensors: ModelTensors): LevelCodes => ({
  thresholds: tensors.floats(node.thresholds, node.levels - 1),
  patterns: tensors.integers(node.patterns, node.levels),
});
