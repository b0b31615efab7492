import type { StoredTensor } from '../core/safetensors.ts';
import type { Fields, PackedOp, StoredNode } from '../runtime/op.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A node on its way into the file: its tensors are still at hand, and it remembers which traced value it must reproduce. */
export interface DraftNode {
  readonly op: PackedOp;
  readonly node: StoredNode;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The traced float value (or signs) this node's output must equal; null for a value that only fusion made, which its reader answers for. */
  readonly expected: Tensor | null;
}
/** Is it of that op? Its fields are known then. */
export const isOp = <Id extends string, F extends Fields>(
  draft: DraftNode,
  op: PackedOp<Id, F>,
): draft is DraftNode & { readonly node: StoredNode<Id, F> } => draft.op.op === op.op;

export interface Draft {
  readonly nodes: DraftNode[];
  /** What comes out, by name. */
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
}

/** How many nodes read each value. */
export function consumers(draft: Draft): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { value } of draft.outputs) counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const { node } of draft.nodes) for (const id of node.inputs) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** The node that computes a value, if it is not the input. */
export function producers(draft: Draft): Map<number, DraftNode> {
  return new Map(draft.nodes.map((draftNode) => [draftNode.node.output, draftNode]));
}
