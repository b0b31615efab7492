import { expect, test } from 'vitest';
import { availableBackends, kernels } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { bnn } from '../methods/bnn.ts';
import { Network } from '../models/network.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryLinear } from '../nn/binary-layers.ts';
import { Lambda } from '../nn/layers.ts';
import { Sequential } from '../nn/module.ts';
import type { PackedNode } from '../runtime/graph.ts';
import { loadPackedModel, type NodeObserver, type PackedModel } from '../runtime/packed-model.ts';
import { describeProof, parseProof } from '../runtime/proof.ts';
import { globalAvgPool } from '../tensor/ops/pooling.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Draft } from './draft.ts';
import { pack } from './pack.ts';
import { verifyElsewhere } from './verify.ts';

/** The sign of an average whose pixels cancel: whatever order they are added in shows. */
function signOfAverage(): Network {
  const config = { model: 'average', method: 'bnn', inputShape: [6, 6, 1] as const, classes: 2, width: 1, seed: 1 };
  const network = new Network(config, bnn, ({ quantization, random }) => {
    return new Sequential([new Lambda(globalAvgPool), new BinaryLinear(1, 2, quantization, random), new BatchNorm(2)]);
  });
  network.setTraining(false);
  return network;
}

function cancelling(random: Random, count: number): Float32Array {
  return Float32Array.from(
    Array.from({ length: count }, () => {
      const half = Array.from({ length: 18 }, () => Math.fround(random.normal()));
      const all = [...half, ...half.map((x) => -x)];
      return [...random.permutation(36)].map((i) => all[i]!);
    }).flat(),
  );
}

test('a file proved on WebAssembly says so, and answers there as it does here', () => {
  const random = new Random(4);
  const options = { classes: ['a', 'b'], mean: [0], std: [1] };
  const calibration = new Tensor(cancelling(random, 8), [8, 6, 6, 1]);
  const { bytes, model } = pack(signOfAverage(), calibration, { ...options, verifyOn: ['wasm'] });
  const wasm = availableBackends().find(({ name }) => name === 'wasm')!;
  expect(model.proof).toEqual({
    images: 8,
    on: [kernels(), wasm].map(({ name, detail }) => ({ backend: name, instructionSet: detail, equal: 'values' })),
  });
  expect(loadPackedModel(bytes).proof).toEqual(model.proof);
  expect(describeProof(model.proof!)).toMatch(
    /^on 8 images: every value .*\(native, \w+\); every value .*\(wasm, wasm-/,
  );
  const images = cancelling(random, 300);
  const expected = model.run(images).slice();
  for (const other of availableBackends())
    expect(loadPackedModel(bytes, { kernels: other }).run(images)).toEqual(expected);

  const alone = pack(signOfAverage(), calibration, options).model.proof!;
  expect(alone.on.map(({ backend }) => backend)).toEqual([kernels().name]);
});

const node = (name: string, output: number) => ({ name, op: 'affine', output }) as unknown as PackedNode;
const close = Math.fround(1.00001);
const logits = new Tensor(Float32Array.of(1, close), [1, 2]);

/** Two layers of floats, expected to be 1, 2, 3, 4, given as said. */
function elsewhere(first: number[], second: number[], output = [1, close]) {
  const nodes = [node('stem', 1), node('body', 2)];
  const expected = new Tensor(Float32Array.of(1, 2, 3, 4), [4]);
  const outputs = [{ name: 'logits', value: 3 }];
  const draft = { nodes: nodes.map((one) => ({ node: one, expected })), outputs } as unknown as Draft;
  const model = {
    graph: {
      classes: ['a', 'b'],
      task: { id: 'classification' },
      inputs: [{ name: 'image' }],
      nodes: [...nodes, node('last', 3)],
    },
    runAll(_images: object, observe: NodeObserver) {
      for (const [i, floats] of [first, second].entries())
        observe(nodes[i]!, { floats: Float32Array.from(floats) } as never, 0);
      return { logits: Float32Array.from(output) };
    },
  };
  return verifyElsewhere(model as unknown as PackedModel, draft, logits, { logits }, 'wasm');
}

test('elsewhere floats may differ by rounding, which is recorded; anything else is refused by layer and number', () => {
  const same = [1, 2, 3, 4];
  const rounded = [1, 2, 3.000001, 4.000001];
  expect(elsewhere(same, same)).toBe('values');
  expect(elsewhere(rounded, same)).toBe('signs');
  expect(() => elsewhere(same, [1, 2, 3.1, 4.1])).toThrow(/on wasm, layer "body" .* 2 of 4 values, first at element 2/);
  expect(() => elsewhere(rounded, [1, 2, 3.1, 4])).toThrow(/"body" .* 1 of 4 .* first that differs is: layer "stem"/);
  expect(() => elsewhere(same, [1, 2, 3, Number.NaN])).toThrow(/NaN instead of 4/);
  expect(() => elsewhere(rounded, same, [close, 1])).toThrow(/image 0 gets another class/);
  // what comes out is compared too, whatever computed it
  expect(() => elsewhere(same, same, [1, 2])).toThrow(/on wasm, layer "output logits" .* 1 of 2 values/);
});

test('a proof that is none is a file without one', () => {
  const on = { backend: 'wasm', instructionSet: 'wasm-simd128', equal: 'signs' };
  const good = { images: 64, on: [on] };
  expect(parseProof(JSON.stringify(good))).toEqual(good);
  const bad = [
    undefined,
    '',
    '{',
    'null',
    '[]',
    ...[
      { ...good, images: 0 },
      { ...good, on: on },
      { ...good, on: [{ ...on, backend: '\u001b[2J' }] },
      { ...good, on: [{ ...on, instructionSet: '\u001b[2J' }] },
      { ...good, on: [{ ...on, equal: 'all' }] },
      { ...good, on: [null] },
    ].map((one) => JSON.stringify(one)),
  ];
  for (const text of bad) expect(parseProof(text)).toBeNull();
});
