import { expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { methods } from '../methods/table.ts';
import { withProbe } from '../nn/binary-layer.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { pack } from '../pack/pack.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import type { Network } from './network.ts';
import { type Policy, weightLayers } from './policy.ts';
import { buildNetwork } from './table.ts';

const floatEnds = { firstLast: 'float' } as const;
const networkOf = (policy: Policy, method = 'bnn', model = 'vgg-small', width = 0.125) => {
  const tricks = method === 'bnn' ? floatEnds : undefined;
  return buildNetwork({ model, method, inputShape: [8, 8, 3], classes: 3, width, seed: 1, policy, tricks });
};
const packing = { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] };

/** Gradients of the latent weights after one step. */
function gradients(network: Network): Map<string, boolean> {
  network.setPoint({ progress: 1, epoch: 1 });
  return trainingStep(() => {
    backward(softmaxCrossEntropy(network.forward(randomTensor([4, 8, 8, 3], 2)), new Uint16Array([0, 1, 2, 0])));
    const found = weightLayers(network).map(
      ({ name, value }) => [name, value.weight.grad?.some((g) => g !== 0) ?? false] as const,
    );
    for (const { value } of network.parameters()) value.grad = null;
    return new Map(found);
  });
}

test('layers have the names of the metrics; the first and the last are among them', () => {
  const names = weightLayers(networkOf({}, 'bnn', 'resnet20')).map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(['0', '1.first', '1.second']);
  expect(names.at(-1)).toBe('11');
  expect(names).toHaveLength(20);
});

test.each([
  [{ '2.frist': 'float' }, /there is no layer "2.frist"; did you mean "2.first"/],
  [{ '*': '16-bit' }, /unknown precision "16-bit"/],
  [{ '0': 'binary' }, /full precision in this network/],
  [{ '0': '2-bit' }, /5-bit to 8-bit/],
] as [Policy, RegExp][])('%j is refused', (policy, message) => {
  expect(() => networkOf(policy, 'bnn', 'resnet20')).toThrow(message);
  expect(() => networkOf(policy, 'bnn', 'resnet20')).toThrow(UsageError);
});

test.each([
  ['float', 'conv2d', false],
  ['8-bit', 'conv2d', true],
  ['5-bit', 'conv2d', true],
  ['4-bit', 'xnorConv2d', false],
  ['2-bit', 'xnorConv2d', false],
] as const)('layers of %s learn, and pack bit for bit to %s', (precision, op, coded) => {
  const network = networkOf({ '*': 'binary', '2': precision, '3': precision, '0': '8-bit', '7': '8-bit' });
  for (const [name, learns] of gradients(network)) expect(learns, name).toBe(true);
  const { model, bytes } = pack(network, randomTensor([4, 8, 8, 3], 5), packing);
  const floatNetwork = networkOf({ '2': 'float', '3': 'float', '0': '8-bit', '7': '8-bit' });
  gradients(floatNetwork);
  const inFloat = pack(floatNetwork, randomTensor([4, 8, 8, 3], 5), packing);
  const count = ({ graph }: PackedModel) =>
    graph.nodes.filter((node) => node.op === op && ('codeScale' in node && node.codeScale !== undefined) === coded)
      .length;
  // one XNOR convolution for every pair of planes
  const perLayer = op === 'xnorConv2d' ? Number(precision[0]) ** 2 : 1;
  const without = precision === 'float' ? count(inFloat.model) - 2 : count(inFloat.model);
  expect(count(model)).toBe(without + 2 * perLayer);
  expect(model.graph.nodes.find((node) => node.op === 'dense')).toHaveProperty('codeScale');
  const floatBytes = inFloat.bytes.length;
  if (precision === 'float') expect(bytes.length).toBe(floatBytes);
  else expect(bytes.length).toBeLessThan(floatBytes);
});

test('every method takes a policy for one layer, learns and packs, or says why not', () => {
  const refused: string[] = [];
  for (const { id } of methods) {
    let network: Network;
    try {
      network = networkOf({ '2': '8-bit', '4': '2-bit' }, id);
    } catch (error) {
      expect(error, id).toBeInstanceOf(UsageError);
      refused.push(id);
      continue;
    }
    const learns = gradients(network);
    expect([learns.get('2'), learns.get('4')], id).toEqual([true, true]);
    expect(() => pack(network, randomTensor([4, 8, 8, 3], 5), packing), id).not.toThrow();
    expect(network.modules().filter(({ value }) => value instanceof BinaryConv2d).length).toBeGreaterThan(4);
  }
  expect(refused.length).toBeLessThan(methods.length / 3);
});

test('a binary first layer of other precision still sees the pixels as they are', () => {
  const config = {
    model: 'vgg-small',
    method: 'bnn',
    inputShape: [8, 8, 3],
    classes: 3,
    width: 0.125,
    seed: 1,
  } as const;
  const network = buildNetwork({ ...config, policy: { '0': '2-bit', '7': 'float' } });
  const images = randomTensor([2, 8, 8, 3], 2);
  for (const learns of gradients(network).values()) expect(learns).toBe(true);
  inference(() =>
    withProbe(
      ({ layer, activation }) => {
        if (layer.pixels) expect(activation).toBe(images);
      },
      () => network.forward(images),
    ),
  );
  const { model } = pack(network, images, packing);
  expect(model.graph.nodes.filter(({ op }) => op === 'signConv2d')).toHaveLength(2);
});
