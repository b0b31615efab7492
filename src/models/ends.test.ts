import { describe, expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { float } from '../methods/float.ts';
import type { Structure } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import type { BatchNorm } from '../nn/batch-norm.ts';
import { type BinaryLayer, binaryLayersOf, type LayerProbe, withProbe } from '../nn/binary-layer.ts';
import type { Linear } from '../nn/layers.ts';
import type { Parameter } from '../nn/module.ts';
import { pack } from '../pack/pack.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { SignFilter, Tensor } from '../tensor/tensor.ts';
import { adopt } from '../train/teacher.ts';
import type { Network, NetworkConfig } from './network.ts';
import { buildNetwork, firstForm, modelNamed } from './table.ts';

type Ends = NonNullable<Structure['firstLast']>;

const base = { inputShape: [8, 8, 3] as [number, number, number], classes: 3, width: 0.125, seed: 1 };
const networkOf = (model: string, method: string, firstLast?: Ends): Network => {
  const side = Math.max(8, modelNamed(model).smallestSide);
  const tricks = firstLast && { firstLast };
  return buildNetwork({ ...base, inputShape: [side, side, 3], model, method, tricks });
};

/** As the papers and their authors' code have it. */
const published: Readonly<Record<string, Ends>> = {
  bnn: 'binary',
  'bnn-identity': 'binary',
  'bnn-stochastic': 'binary',
  'bnn-shift': 'binary',
  'binary-connect': 'binary',
  'binary-connect-stochastic': 'binary',
  'binary-connect-float-test': 'binary',
  lab: 'binary',
  lab2: 'binary',
  bop: 'binary',
  'prox-quant': 'binary-biased',
  'meta-quant': 'binary-biased',
  'meta-quant-fc-grad': 'binary-biased',
  inq: 'binary-biased',
  'inq-binary': 'binary-biased',
};

test('first and last layers are binary in the methods whose papers have them so, in no other', () => {
  for (const { id } of methods) {
    const network = networkOf('vgg-small', id);
    const floats = network.parameters().flatMap(({ name, value }) => (value.role === 'weight' ? [name] : []));
    if (published[id]) expect(floats, id).toEqual([]);
    else
      expect([floats[0], floats.at(-1)], id).toEqual([
        'body.layers.0.conv.weight',
        expect.stringMatching(/\d\.weight$/),
      ]);
    expect(network.method.structure.firstLast ?? 'float', id).toBe(published[id] ?? 'float');
  }
});

/** What the layers of a pass saw, and its logits. */
function seen(network: Network, images: Tensor): { probes: LayerProbe[]; logits: Float32Array } {
  const probes: LayerProbe[] = [];
  const logits = inference(() =>
    withProbe(
      (probe) => probes.push({ ...probe, input: copied(probe.input) }),
      () => network.forward(images).data.slice(),
    ),
  );
  return { probes, logits };
}

const copied = (x: Tensor): Tensor => new Tensor(x.data.slice(), x.shape);
const sign = (value: number) => (value < 0 ? -1 : 1);

/** Zero-padded 3x3 convolution, one output at a time, in doubles. */
function convolved(x: Tensor, weights: Float32Array, at: { image: number; y: number; x: number; c: number }): number {
  const [, height = 1, width = 1, inputs = 1] = x.shape;
  const outputs = weights.length / (9 * inputs);
  let sum = 0;
  for (let ky = 0; ky < 3; ky++)
    for (let kx = 0; kx < 3; kx++)
      for (let i = 0; i < inputs; i++) {
        const [iy, ix] = [at.y + ky - 1, at.x + kx - 1];
        if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
        sum +=
          x.data[((at.image * height + iy) * width + ix) * inputs + i]! *
          sign(weights[((ky * 3 + kx) * inputs + i) * outputs + at.c]!);
      }
  return sum;
}

describe.each([
  ['vgg-small', 'bnn'],
  ['resnet20', 'bnn'],
  ['vgg-small', 'binary-connect'],
  ['resnet20', 'meta-quant'],
  ['resnet20', 'prox-quant'],
] as const)('%s by %s', (model, method) => {
  const network = networkOf(model, method);
  for (let i = 0; i < 2; i++) trainingStep(() => network.forward(randomTensor([6, 8, 8, 3], i)));
  network.setTraining(false);
  network.setPointToEnd();
  const images = randomTensor([2, 8, 8, 3], 7);
  const { probes, logits } = seen(network, images);
  const [first, last] = [probes[0]!, probes.at(-1)!];

  test('the first layer multiplies the pixels, as they are, by the signs of its weights', () => {
    expect(first.layer.pixels).toBe(true);
    expect(first.input.data).toEqual(images.data);
    expect(first.activation).not.toHaveProperty('words');
    expect(first.filter).toBeInstanceOf(SignFilter);
    const conv = first.layer;
    const y = inference(() => conv.forward(images).data.slice());
    const outputs = conv.options.outChannels;
    for (let n = 0; n < y.length; n += 37) {
      const at = {
        image: Math.floor(n / (64 * outputs)),
        y: Math.floor(n / (8 * outputs)) % 8,
        x: Math.floor(n / outputs) % 8,
        c: n % outputs,
      };
      expect(y[n]).toBeCloseTo(convolved(images, conv.weight.data, at), 4);
    }
  });

  test('the last one multiplies by signs what enters it as the method has it, and is normed or biased', () => {
    const { layer, input } = last;
    const binaryInput = methodNamed(method).bits.activation === 1;
    const [inputs, classes] = [layer.options.inChannels, layer.options.outChannels];
    const norm = network.modules().at(-1)!.value as BatchNorm;
    const bias = (layer as BinaryLayer & { bias: Parameter | null }).bias?.data;
    const folded = published[method] === 'binary' ? norm.folded() : null;
    expect(bias === undefined).toBe(folded !== null);
    for (let image = 0; image < 2; image++)
      for (let c = 0; c < classes; c++) {
        let dot = 0;
        for (let k = 0; k < inputs; k++) {
          const x = input.data[image * inputs + k]!;
          dot += (binaryInput ? sign(x) : x) * sign(layer.weight.data[k * classes + c]!);
        }
        const expected = folded ? dot * folded.scale[c]! + folded.shift[c]! : dot + bias![c]!;
        expect(logits[image * classes + c]! / Math.max(1, Math.abs(expected))).toBeCloseTo(
          expected / Math.max(1, Math.abs(expected)),
          4,
        );
      }
  });
});

test.each([
  ['vgg-small', 'bnn', 'binary'],
  ['cnv6', 'bnn', 'binary'],
  ['nin', 'lab', 'binary'],
  ['resnet18', 'bop', 'binary'],
  ['resnet20', 'prox-quant', 'binary-biased'],
  ['alexnet', 'meta-quant', 'binary-biased'],
  ['vgg-small', 'inq', 'binary-biased'],
  ['resnet20', 'xnor-net', 'binary'],
  ['resnet20', 'dorefa-w1a2', 'binary-biased'],
  ['vgg-small', 'react-net', 'binary-biased'],
  ['resnet20', 'ada-bin', 'binary'],
  ['vgg-small', 'abc-net', 'binary'],
  ['resnet20', 'xnor-net-pp', 'binary-biased'],
] as const)('%s by %s, ends %s, learns in both, and packs to the same bits', (model, method, firstLast) => {
  const network = networkOf(model, method, firstLast);
  const [side] = network.config.inputShape;
  const images = (seed: number, count = 4) => randomTensor([count, side, side, 3], seed);
  network.setPointToEnd();
  trainingStep(() => {
    backward(softmaxCrossEntropy(network.forward(images(2)), new Uint16Array([0, 1, 2, 0])));
    const layers = binaryLayersOf(network);
    for (const { name, value } of [layers[0]!, layers.at(-1)!])
      expect(
        value.weight.grad?.some((g) => g !== 0),
        name,
      ).toBe(true);
    for (const { value } of network.parameters()) value.grad = null;
  });
  network.setTraining(false);
  const { bytes } = pack(network, images(3, 2), { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] });
  const fresh = images(5, 3);
  expect(loadPackedModel(bytes).run(fresh.data)).toEqual(inference(() => network.forward(fresh).data.slice()));
});

test('--first-last float, and structures stored before there was a choice, keep them float', () => {
  const config: NetworkConfig = { ...base, model: 'resnet20', method: 'bnn' };
  const { firstLast: _, ...before } = methodNamed('bnn').structure;
  for (const network of [
    networkOf('resnet20', 'bnn', 'float'),
    buildNetwork({ ...config, structure: before }),
    buildNetwork(firstForm(config)),
  ])
    expect(network.parameters().filter(({ value }) => value.role === 'weight')).toHaveLength(2);
});

test.each([
  ['lfc', 'bnn', 'binary', /layer of lfc are the network's own; take a ResNet/],
  ['quicknet', 'bnn', 'float', /layer of quicknet are the network's own/],
  ['resnet20', 'float', 'binary', /--first-last binary does not go with method "float": it binarizes nothing/],
  ['resnet20', 'ab-bnn', 'binary', /without batch-norm/],
] as const)('%s by %s: --first-last %s is refused', (model, method, firstLast, message) => {
  expect(() => networkOf(model, method, firstLast)).toThrow(message);
  expect(() => networkOf(model, method, firstLast)).toThrow(UsageError);
});

test('the weights of a float network are the first ones, of the last layer too', () => {
  const source = networkOf('resnet20', float.id);
  const network = networkOf('resnet20', 'prox-quant');
  adopt(network, source);
  const { weight, bias } = source.modules().at(-1)!.value as Linear;
  const last = binaryLayersOf(network).at(-1)!.value as BinaryLayer & { bias: Parameter };
  expect(last.weight.data).toEqual(weight.data);
  expect(last.bias.data).toEqual(bias.data);
});
