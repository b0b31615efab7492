import type { StoredTensor } from '../core/safetensors.ts';
import type { Shape } from '../core/shape.ts';
import type { PackedNode } from '../runtime/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A node on its way into the file: its tensors are still at hand, and it remembers which traced value it must reproduce. */
export interface DraftNode {
  readonly node: PackedNode;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The traced float value (or signs) this node's output must equal; null for a value that only fusion made, which its reader answers for. */
  readonly expected: Tensor | null;
}

export interface Draft {
  readonly nodes: DraftNode[];
  readonly output: number;
  readonly input: Shape;
}

/** How many nodes read each value. */
export function consumers(draft: Draft): Map<number, number> {
  const counts = new Map<number, number>([[draft.output, 1]]);
  for (const { node } of draft.nodes) for (const id of node.inputs) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** The node that computes a value, if it is not the input. */
export function producers(draft: Draft): Map<number, DraftNode> {
  return new Map(draft.nodes.map((draftNode) => [draftNode.node.output, draftNode]));
}
