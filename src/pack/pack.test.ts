import { describe, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { readSafetensors } from '../core/safetensors.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { layerName } from '../models/layer-names.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork, modelNamed, models } from '../models/table.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { inference, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type PackOptions, pack } from './pack.ts';
import { foldThresholds } from './threshold.ts';

const optionsOf = (channels: number): PackOptions => ({
  classes: ['a', 'b', 'c'],
  mean: Array<number>(channels).fill(0),
  std: Array<number>(channels).fill(1),
});
const options = optionsOf(3);

function images(random: Random, count: number, shape: readonly number[]): Tensor {
  const data = new Float32Array(count * shape.reduce((a, b) => a * b));
  random.fillNormal(data, 0, 1);
  return new Tensor(data, [count, ...shape]);
}

/** A network whose batch-norms have seen data and whose scales are not trivial. */
function warmedNetwork(
  model: string,
  method: string,
  inputShape: [number, number, number],
  random: Random,
  width = 1,
): Network {
  const network = buildNetwork({ model, method, inputShape, classes: 3, width, seed: 3 });
  network.setPoint({ progress: 1, epoch: 1 });
  for (let i = 0; i < 3; i++) trainingStep(() => network.forward(images(random, 4, inputShape)));
  for (const { name, value } of network.parameters()) {
    if (/gamma|beta|slope/.test(name))
      for (let i = 0; i < value.size; i++) value.data[i] = value.data[i]! + 0.5 * random.normal();
  }
  network.setTraining(false);
  return network;
}

/** Products with 1-bit weights. */
const bitProducts = new Set<string>(['xnorConv2d', 'xnorConv2dThreshold', 'planesConv2d', 'signConv2d']);

describe.each(methods.map((method) => method.id))('%s', (method) => {
  test.each([
    ['sfc', [8, 8, 1]],
    ['resnet20', [8, 8, 3]],
    ['vgg-small', [8, 8, 3], 0.375],
  ] as [string, [number, number, number], number?][])(
    '%s packs to the same logits, bit for bit, on images it was not verified with',
    (model, shape, width) => {
      const random = new Random(11);
      const network = warmedNetwork(model, method, shape, random, width);
      const { bytes, model: packed } = pack(network, images(random, 4, shape), optionsOf(shape[2]));
      const fresh = images(random, 5, shape);
      const expected = inference(() => network.forward(fresh).data.slice());
      expect(loadPackedModel(bytes).run(fresh.data)).toEqual(expected);
      const onBits = packed.graph.nodes.filter(({ op }) => bitProducts.has(op)).length;
      const layers = network.modules().filter(({ value }) => value instanceof BinaryConv2d).length;
      if (methodNamed(method).floatPacked) expect(onBits).toBe(0);
      else expect(onBits).toBeGreaterThanOrEqual(layers);
    },
  );
});

test.each(models.flatMap(({ id }) => ['bnn', 'react-net'].map((method) => [id, method] as const)))(
  '%s, narrow, by %s packs bit for bit',
  (model, method) => {
    const random = new Random(5);
    const side = Math.max(modelNamed(model).smallestSide, 8);
    const shape: [number, number, number] = [side, side, 3];
    const network = warmedNetwork(model, method, shape, random, 0.0625);
    const { model: packed } = pack(network, images(random, 2, shape), options);
    const fresh = images(random, 2, shape);
    expect(packed.run(fresh.data)).toEqual(inference(() => network.forward(fresh).data.slice()));
  },
);

test.each([
  ['vgg-small', 1],
  ['resnet20', 0.5],
] as const)('binary layers of %s, width %f, take exactly one bit per weight in the file', (topology, width) => {
  const random = new Random(2);
  const network = warmedNetwork(topology, 'bnn', [8, 8, 3], random, width);
  const { model, bytes } = pack(network, images(random, 2, [8, 8, 3]), options);
  const weights = network
    .parameters()
    .filter(({ value }) => value.role === 'latent')
    .reduce((sum, { value }) => sum + value.size, 0);
  const { tensors } = readSafetensors(bytes);
  const filters = model.graph.nodes.flatMap((node) =>
    'alpha' in node || 'threshold' in node ? [tensors.get(node.filter)!.data.byteLength] : [],
  );
  expect(filters.reduce((sum, size) => sum + size) * 8).toBe(weights);
});

test('thresholds decide as the float expression does for every possible dot product', () => {
  const random = new Random(5);
  const channels = 200;
  const make = () => Float32Array.from({ length: channels }, (_, i) => (i % 17 === 0 ? 0 : random.normal()));
  const [alpha, scale, shift] = [make().map(Math.abs), make(), make().map((v) => v * 5)];
  const { threshold, flip } = foldThresholds(64, alpha, scale, shift);
  for (let c = 0; c < channels; c++)
    for (let dot = -64; dot <= 64; dot++) {
      const negative = Math.fround(Math.fround(Math.fround(dot * alpha[c]!) * scale[c]!) + shift[c]!) < 0;
      expect(flip[c] ? dot > threshold[c]! : dot < threshold[c]!).toBe(negative);
    }
});

test('NaN weights are refused with the tensor named', () => {
  const random = new Random(2);
  const network = warmedNetwork('resnet20', 'bi-real', [8, 8, 3], random);
  network.parameters().at(-1)!.value.data[0] = Number.NaN;
  expect(() => pack(network, images(random, 2, [8, 8, 3]), options)).toThrow(/"11\.bias" holds NaN or infinity/);
});

test.each([
  ['resnet20', 'bi-real'],
  ['cnv6', 'bnn'],
  ['resnet18', 'xnor-net'],
])(
  '%s by %s whose values overflow: the first layer that is not finite is named, and that training diverged',
  (model, method) => {
    const random = new Random(2);
    const side = Math.max(modelNamed(model).smallestSide, 8);
    const network = warmedNetwork(model, method, [side, side, 3], random, 0.25);
    const norm = network.modules().findLast(({ value }) => value instanceof BatchNorm)!;
    const { gamma, runningMean, runningVariance } = norm.value as BatchNorm;
    gamma.data.fill(3e38);
    runningMean.data.fill(0);
    runningVariance.data.fill(1);
    const layer = `${layerName(norm.name)}.affine`;
    expect(() => pack(network, images(random, 2, [side, side, 3]), options)).toThrow(
      `pack: layer "${layer}" (affine) gives`,
    );
    expect(() => pack(network, images(random, 2, [side, side, 3]), options)).toThrow(/training diverged/);
  },
);

test('a method with stages cannot be packed before its weights are binary, and says so', () => {
  const random = new Random(2);
  const network = warmedNetwork('resnet20', 'react-net', [8, 8, 3], random);
  network.setPoint({ progress: 0.2, epoch: 1, stage: 'activations' }, { binaryWeights: 0 });
  expect(() => pack(network, images(random, 2, [8, 8, 3]), options)).toThrow(
    /stage "activations" does not binarize them; finish the run first/,
  );
});

test('a binary layer that would silently run in float is refused by name', () => {
  const random = new Random(2);
  const network = warmedNetwork('resnet20', 'bnn', [8, 8, 3], random);
  // a network that claims 1-bit activations but hands floats to its binary layers
  const claimed = buildNetwork({
    model: 'resnet20',
    method: 'bwn',
    inputShape: [8, 8, 3],
    classes: 3,
    width: 1,
    seed: 3,
  });
  Object.assign(claimed, { method: network.method });
  const calibration = images(random, 2, [8, 8, 3]);
  // 8x8 pixels, 3x3 taps, 16 channels in and out
  expect(() => pack(claimed, calibration, options)).toThrow(
    /would run in float.*1\.second \(147456 products of floats per image, not 2304 of words/,
  );
  expect(() => pack(claimed, calibration, { ...options, allowFloat: ['1.first', '1.second'] })).toThrow(
    /given is not binarized: 2\.first \(/,
  );
  expect(() => pack(claimed, calibration, { ...options, allowFloat: 'all' })).not.toThrow();
});

test('pooled blocks stay bits: threshold before the pooling, no float between two binary layers', () => {
  const random = new Random(2);
  const network = warmedNetwork('vgg-small', 'bnn', [8, 8, 3], random);
  const { model } = pack(network, images(random, 2, [8, 8, 3]), options);
  const ops = model.graph.nodes.map(({ op }) => op);
  expect(ops.filter((op) => op === 'maxPoolSigns').length).toBeGreaterThanOrEqual(2);
  const [first, last] = [ops.indexOf('xnorConv2dThreshold'), ops.lastIndexOf('xnorConv2dThreshold')];
  expect(new Set(ops.slice(first, last))).toEqual(new Set(['xnorConv2dThreshold', 'maxPoolSigns']));
});

test('k-bit activations with 1-bit weights run as bit-planes', () => {
  const random = new Random(2);
  const network = warmedNetwork('resnet20', 'dorefa-w1a2', [8, 8, 3], random);
  const { model } = pack(network, images(random, 2, [8, 8, 3]), options);
  const products = model.graph.nodes.filter(({ op }) => op === 'planesConv2d');
  expect(products).toHaveLength(18);
  expect(products.every(({ inputs }) => inputs.length === 2)).toBe(true);
  expect(model.graph.nodes.some(({ op }) => op === 'codeLevels')).toBe(false);
});
