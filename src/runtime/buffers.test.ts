import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBuffers } from './buffers.ts';

interface Node {
  readonly inputs: readonly number[];
  readonly output: number;
  readonly bytes: number;
}
const nodeOf = (output: number, inputs: readonly number[], size: number): Node => ({ inputs, output, bytes: 4 * size });
/** @param kept values that are read after the run */
const plan = (nodes: readonly Node[], ...kept: number[]) =>
  planBuffers({ nodes, outputs: kept.map((value) => ({ value })) }, (place) => nodes[place]!.bytes);

/** Nodes in order, each reading up to three values before it; value 0 is the network's input. */
const graphs = fc
  .array(fc.tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 50 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map((drafts) =>
    drafts.map(([reads, size], i) =>
      nodeOf(
        i + 1,
        reads.map((read) => read % (i + 1)),
        size,
      ),
    ),
  );

test('no value is overwritten before its last reader, nor the kept ones ever', () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (nodes, picks) => {
      const kept = picks.map((pick) => 1 + (pick % nodes.length));
      const { bufferOf, bytes } = plan(nodes, ...kept);
      const holds = new Map<number, number>();
      for (const node of nodes) {
        const buffer = bufferOf.get(node.output)!;
        expect(bytes[buffer]).toBeGreaterThanOrEqual(node.bytes);
        holds.set(buffer, node.output);
        for (const id of node.inputs) if (id > 0) expect(holds.get(bufferOf.get(id)!)).toBe(id);
      }
      for (const id of kept) expect(holds.get(bufferOf.get(id)!)).toBe(id);
      const total = nodes.reduce((sum, node) => sum + node.bytes, 0);
      expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(total);
    }),
  );
});

test('a chain needs two buffers, a shortcut a third', () => {
  const chain = [1, 2, 3, 4, 5].map((id) => nodeOf(id, [id - 1], 10));
  expect(plan(chain, 5).bytes).toEqual([40, 40]);
  const shortcut = [...chain.slice(0, 4), nodeOf(5, [4, 1], 10)];
  expect(plan(shortcut, 5).bytes).toEqual([40, 40, 40]);
});
