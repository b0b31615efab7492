import type { StoredTensor } from '../core/safetensors.ts';
import type { StoredNode } from '../runtime/op.ts';
import type { DraftNode } from './draft.ts';

/** FNV-1a over the bytes: equal tensors have equal ones. */
function hashOf({ data }: StoredTensor): number {
  let hash = 2166136261;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    hash = Math.imul(hash ^ byte, 16777619);
  return hash;
}

const equal = (a: StoredTensor, b: StoredTensor): boolean =>
  a.shape.join() === b.shape.join() &&
  a.data.constructor === b.data.constructor &&
  a.data.every((value, i) => Object.is(value, b.data[i]));

/**
 * Stores equal tensors once: a filter that several bit-planes are multiplied by would lie in the file as often as there are planes.
 */
export function shareTensors(nodes: readonly DraftNode[]): DraftNode[] {
  const known = new Map<number, { name: string; tensor: StoredTensor }[]>();
  return nodes.map((draft) => {
    const renamed = new Map<string, string>();
    const tensors = new Map<string, StoredTensor>();
    for (const [name, tensor] of draft.tensors) {
      const hash = hashOf(tensor);
      const same = known.get(hash)?.find((other) => equal(other.tensor, tensor));
      renamed.set(name, same?.name ?? name);
      if (same) continue;
      tensors.set(name, tensor);
      known.set(hash, [...(known.get(hash) ?? []), { name, tensor }]);
    }
    const fields = Object.entries(draft.node).map(([key, value]) => [key, renamed.get(value as string) ?? value]);
    return { ...draft, node: Object.fromEntries(fields) as StoredNode, tensors };
  });
}
