import { describe, expect, test } from 'vitest';
import { kernels } from '../backend/select.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { wordsFor } from '../core/bits.ts';
import { Network } from '../models/network.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { type LayerProbe, withProbe } from '../nn/binary-layer.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { globalAvgPoolLayer, Linear } from '../nn/layers.ts';
import { Sequential } from '../nn/module.ts';
import { binaryProduct, effectiveActivations, effectiveWeights } from '../nn/product.ts';
import { pack } from '../pack/pack.ts';
import { checkGradients, randomTensor, tapeGradients } from '../tensor/gradients.testing.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { SignFilter, SignTensor, Tensor } from '../tensor/tensor.ts';
import { methodNamed, methods } from './table.ts';

const [inChannels, outChannels, side] = [8, 16, 5];
const shape = [side, side, inChannels] as const;
const sizes = { inChannels, outChannels, kernel: 3, pad: 1 };
const options = {
  classes: ['a', 'b', 'c'],
  mean: new Array(8).fill(0),
  std: new Array(8).fill(1),
  allowFloat: 'all' as const,
};

const images = (count: number) => {
  const { data } = randomTensor([count, ...shape], 5);
  return new Tensor(data, [count, ...shape]);
};

function grouped(method: (typeof methods)[number], groups: number): Network {
  const config = { model: 'grouped', method: method.id, inputShape: shape, classes: 3, width: 1, seed: 1 };
  const network = new Network(config, method, ({ quantization, random }) => {
    const conv = new BinaryConv2d({ ...sizes, groups }, quantization, random);
    return new Sequential([conv, new BatchNorm(outChannels), globalAvgPoolLayer(), new Linear(outChannels, 3, random)]);
  });
  network.setPoint({ progress: 1, epoch: 1 });
  return network;
}

describe.each([
  { groups: 2, of: methods },
  { groups: inChannels, of: ['ada-bin', 'dq', 'dq-points', 'xnor-net', 'abc-net'].map((id) => methodNamed(id)) },
])('$groups groups', ({ groups, of }) => {
  test.each(of)('$id: the product is that of its values, learns and packs', (method) => {
    const network = grouped(method, groups);
    const probes: LayerProbe[] = [];
    inference(() => {
      withProbe(
        (probe) => probes.push(probe),
        () => network.forward(images(2)),
      );
      const { activation, filter, layer, input } = probes[0]!;
      const x = new Tensor(effectiveActivations(activation), input.shape);
      const w = new Tensor(effectiveWeights(filter), [3, 3, inChannels / groups, outChannels]);
      const expected = conv2d(x, w, layer.options).data;
      binaryProduct(activation, filter, layer.options).data.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 3);
      });
    });
    trainingStep(() => backward(softmaxCrossEntropy(network.forward(images(2)), [0, 1])));
    for (const { name, value } of network.parameters())
      expect(value.grad?.every(Number.isFinite) ?? true, name).toBe(true);
    if (method.floatPacked) return;
    expect(pack(network, images(3), options).model.run(images(1).data)).toHaveLength(3);
  });
});

describe.each([1, 2, 4])('gradients of a sum with scale and offsets, %d groups', (groups) => {
  const layer = { groups, pad: 1, stride: 2 };
  const signs = (tensorShape: readonly number[], seed: number) => {
    const values = randomTensor(tensorShape, seed).data;
    const bits = new Uint32Array(wordsFor(values.length / 4, 4));
    kernels().packSigns(values, bits, values.length / 4, 4);
    return new SignTensor(bits, tensorShape, true);
  };
  // anew each time: floats of a sign tensor lie in the storage of one step
  const bits = () => signs([2, 5, 4, 4], 1);
  const weights = () => {
    const { words, scale, shape: filterShape } = signFilterOf(latent, new Float32Array(8).fill(0.5));
    return new SignFilter(words.slice(), scale, filterShape, true);
  };
  const latent = randomTensor([3, 3, 4 / groups, 8], 2);
  const [spread, centre, offset] = [randomTensor([1], 3), randomTensor([1], 4), randomTensor([8], 5)];
  const product = (x: SignTensor, w: SignFilter) =>
    binaryProduct({ terms: [{ bits: x, scale: spread }], offset: centre }, { filters: [w], offset }, layer);

  test('of the scale and the offsets: central differences', () =>
    checkGradients(() => product(bits(), weights()), [spread, centre, offset]));

  test('of the signs and the filter: those of the float convolution', () => {
    const [floatX, floatW] = inference(() => {
      const [x, w] = [bits(), weights()];
      const sum = { terms: [{ bits: x, scale: spread }], offset: centre };
      return [
        new Tensor(effectiveActivations(sum).slice(), x.shape, true),
        new Tensor(effectiveWeights({ filters: [w], offset }).slice(), w.shape, true),
      ];
    });
    const expected = tapeGradients((a, b) => conv2d(a, b, layer), [floatX!, floatW!]);
    const [x, w] = [bits(), weights()];
    const ours = tapeGradients(() => product(x, w), [x, w]);
    const factors = [spread.data[0]!, 1];
    for (const [n, gradient] of ours.entries())
      for (const [i, value] of gradient.entries()) expect(value).toBeCloseTo(expected[n]![i]! * factors[n]!, 3);
  });
});
