import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBuffers } from './buffers.ts';
import type { PackedNode } from './graph.ts';

const nodeOf = (output: number, inputs: readonly number[], size: number): PackedNode => ({
  op: 'relu',
  name: `n${output}`,
  inputs: [...inputs],
  output,
  shape: [size],
});
const bytesOf = (node: PackedNode) => 4 * node.shape[0]!;

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

test('no value is overwritten before its last reader, nor the kept one ever', () => {
  fc.assert(
    fc.property(graphs, fc.nat(), (nodes, pick) => {
      const kept = 1 + (pick % nodes.length);
      const { bufferOf, bytes } = planBuffers(nodes, kept, bytesOf);
      const holds = new Map<number, number>();
      for (const node of nodes) {
        const buffer = bufferOf.get(node.output)!;
        expect(bytes[buffer]).toBeGreaterThanOrEqual(bytesOf(node));
        holds.set(buffer, node.output);
        for (const id of node.inputs) if (id > 0) expect(holds.get(bufferOf.get(id)!)).toBe(id);
      }
      expect(holds.get(bufferOf.get(kept)!)).toBe(kept);
      const total = nodes.reduce((sum, node) => sum + bytesOf(node), 0);
      expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(total);
    }),
  );
});

test('a chain needs two buffers, a shortcut a third', () => {
  const chain = [1, 2, 3, 4, 5].map((id) => nodeOf(id, [id - 1], 10));
  expect(planBuffers(chain, 5, bytesOf).bytes).toEqual([40, 40]);
  const shortcut = [...chain.slice(0, 4), nodeOf(5, [4, 1], 10)];
  expect(planBuffers(shortcut, 5, bytesOf).bytes).toEqual([40, 40, 40]);
});
