/** What reads and writes values. */
interface Flow {
  readonly nodes: readonly { readonly inputs: readonly number[]; readonly output: number }[];
  /** Values that are read after the run: nothing else comes into their buffers any more. */
  readonly outputs: readonly { readonly value: number }[];
}

/** Where the values of a graph lie: which buffer each has, and how many bytes every buffer takes. */
export interface BufferPlan {
  readonly bufferOf: ReadonlyMap<number, number>;
  readonly bytes: readonly number[];
}

/**
 * Gives every value a buffer, and a buffer to the next value once the last node that reads the one before has run: a network needs as much
 * memory as its widest place, not as all its layers together.
 *
 * @param bytesOf size of the output of the node at a place
 */
export function planBuffers({ nodes, outputs }: Flow, bytesOf: (place: number) => number): BufferPlan {
  const lastUse = new Map<number, Flow['nodes'][number]>();
  const kept = new Set(outputs.map(({ value }) => value));
  for (const node of nodes) for (const id of [node.output, ...node.inputs]) lastUse.set(id, node);
  const bufferOf = new Map<number, number>();
  const bytes: number[] = [];
  const free = new Set<number>();
  for (const [place, node] of nodes.entries()) {
    const wanted = bytesOf(place);
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
      if (buffer !== undefined && !kept.has(id) && lastUse.get(id) === node) free.add(buffer);
    }
  }
  return { bufferOf, bytes };
}
