import { describe, expect, test } from 'vitest';
import type { Sequential } from '../nn/module.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Stem } from './stem.ts';
import { buildNetwork, modelNamed, models } from './table.ts';

const built = (model: string, classes: number, width = 1, method = 'float') =>
  buildNetwork({ model, method, inputShape: modelNamed(model).inputShape, classes, width, seed: 1 });

/** Trainable numbers; convolutions and dense weights alone on request. */
function parameters(model: string, classes: number, weightsOnly = false): number {
  return built(model, classes)
    .parameters()
    .filter(({ value }) => !weightsOnly || value.role === 'weight' || value.role === 'latent')
    .reduce((sum, { value }) => sum + value.size, 0);
}

describe('parameter counts are the published ones', () => {
  test.each([
    // Larq's zoo counts the fixed filters of the blur too, nine numbers a channel
    ['quicknet-small', 12_655_688 - 9 * (32 + 64 + 256)],
    ['quicknet', 13_234_088 - 9 * (64 + 128 + 256)],
    ['quicknet-large', 23_342_248 - 9 * (64 + 128 + 256)],
  ])('%s: %d', (model, expected) => expect(parameters(model, 1000)).toBe(expected));

  test.each([
    // He et al. 2016, as every framework counts them: convolutions, batch-norms, classifier with bias
    ['resnet18-imagenet', 11_689_512],
    ['resnet34-imagenet', 21_797_672],
    ['resnet50-imagenet', 25_557_032],
  ])('%s: %d', (model, expected) => expect(parameters(model, 1000)).toBe(expected));

  test('react-net-a: as its authors build it', () => {
    const channels = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
    // per block: 3x3 and 1x1 weights; two shifts before signs; batch-norm's two and RPReLU's three numbers after each convolution
    const blocks = channels.slice(1).reduce((sum, to, i) => {
      const from = channels[i]!;
      return sum + 9 * from ** 2 + from * to + 2 * from + 5 * from + 5 * to;
    }, 0);
    const network = built('react-net-a', 1000, 1, 'react-net');
    const total = network.parameters().reduce((sum, { value }) => sum + value.size, 0);
    expect(total).toBe(27 * 32 + 2 * 32 + blocks + 1024 * 1000 + 1000);
  });

  test.each([
    // the published counts less their biases, which a batch-norm takes over
    ['alexnet', 1000, 62_378_344 - 10_568],
    ['vgg16', 1000, 138_357_544 - 13_416],
    // 966,986 with 1,418 biases
    ['nin', 10, 965_568],
    // the published eight convolutions, less their biases, and one classifier of 512 inputs
    ['vgg11', 10, 9_220_480 - 2_752 + 5_120],
  ])('%s: weights', (model, classes, expected) => expect(parameters(model, classes, true)).toBe(expected));

  test.each([
    ['resnet20', 269_722],
    ['resnet32', 464_154],
    ['resnet44', 658_586],
  ])('%s for CIFAR: %d, shortcuts without parameters', (model, expected) =>
    expect(parameters(model, 10)).toBe(expected),
  );
});

test.each(models.map(({ id }) => id))('%s, narrow, gives one logit per class, binary and float', (id) => {
  const { smallestSide, inputShape } = modelNamed(id);
  const side = Math.max(smallestSide, 16);
  const shape: [number, number, number] = [side, side, inputShape[2]];
  const pixels = new Float32Array(2 * side * side * shape[2]).fill(0.3);
  for (const method of ['float', 'bi-real', 'xnor-net']) {
    const network = buildNetwork({ model: id, method, inputShape: shape, classes: 5, width: 0.0625, seed: 1 });
    const logits = inference(() => network.forward(new Tensor(pixels, [2, ...shape])).data.slice());
    expect(logits).toHaveLength(10);
    expect(logits.every(Number.isFinite)).toBe(true);
  }
});

test('cnv6 frames small images by zeros, as the padding of its first layer would', () => {
  const shape = [20, 24, 3] as const;
  const network = buildNetwork({ model: 'cnv6', method: 'bnn', inputShape: shape, classes: 3, width: 0.25, seed: 1 });
  const { frame } = (network.body as Sequential).layers[0] as Stem;
  const pixels = Float32Array.from({ length: 20 * 24 * 3 }, (_, i) => i + 1);
  const framed = inference(() => frame!.forward(new Tensor(pixels, [1, ...shape])).data.slice());
  const [height, width] = [20 + 2 * 4, 24 + 2 * 4];
  expect(framed).toHaveLength(height * width * 3);
  framed.forEach((value, i) => {
    const [x, y, c] = [(Math.floor(i / 3) % width) - 4, Math.floor(i / 3 / width) - 4, i % 3];
    const inside = x >= 0 && x < 24 && y >= 0 && y < 20;
    expect(value).toBe(inside ? pixels[(y * 24 + x) * 3 + c] : 0);
  });
});
