import type { PackedNode } from './graph.ts';

/** Where the values of a graph lie: which buffer each has, and how many bytes every buffer takes. */
export interface BufferPlan {
  readonly bufferOf: ReadonlyMap<number, number>;
  readonly bytes: readonly number[];
}

/**
 * Gives every value a buffer, and a buffer to the next value once the last node that reads the one before has run: a network needs as much
 * memory as its widest place, not as all its layers together.
 *
 * @param kept value that is read after the run: nothing else comes into its buffer any more
 * @param bytesOf size of a node's output
 */
export function planBuffers(
  nodes: readonly PackedNode[],
  kept: number,
  bytesOf: (node: PackedNode) => number,
): BufferPlan {
  const lastUse = new Map<number, PackedNode>();
  for (const node of nodes) for (const id of [node.output, ...node.inputs]) lastUse.set(id, node);
  const bufferOf = new Map<number, number>();
  const bytes: number[] = [];
  const free = new Set<number>();
  for (const node of nodes) {
    const wanted = bytesOf(node);
    let [best, least] = [bytes.length, Number.POSITIVE_INFINITY];
    for (const buffer of free) {
      const misfit = Math.abs(bytes[buffer]! - wanted);
      if (misfit < least) [best, least] = [buffer, misfit];
    }
    bytes[best] = Math.max(bytes[best] ?? 0, wanted);
    bufferOf.set(node.output, best);
    free.delete(best);
    for (const id of [node.output, ...node.inputs]) {
      const buffer = bufferOf.get(id);
      if (buffer !== undefined && id !== kept && lastUse.get(id) === node) free.add(buffer);
    }
  }
  return { bufferOf, bytes };
}
