import { describe, expect, test } from 'vitest';
import { softSign } from '../binarize/soft-sign.ts';
import { RPRelu } from '../nn/layers.ts';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bnnPlus, bnnPlusSquared, scaleRegulariser } from './bnn-plus.ts';
import { flipByMomentum } from './bop.ts';
import { Bench, pixel, rounded } from './equations.testing.ts';
import { itBnn } from './it-bnn.ts';
import { proximalBinary, proxQuant } from './prox-quant.ts';
import { reactNet } from './react-net.ts';
import { selfBinarizing } from './self-binarizing.ts';

describe('BNN+ (survey [90])', () => {
  test('the regulariser of the notes, both orders, and its gradients', () => {
    const w = pixel([0.5, -1.5, 2, 0]);
    const alpha = new Tensor(Float32Array.of(1, 1, 1, 1), [4]);
    expect(inference(() => [scaleRegulariser(w, alpha, 1).data[0], scaleRegulariser(w, alpha, 2).data[0]])).toEqual([
      3, 2.5,
    ]);
    for (const order of [1, 2] as const)
      checkGradients((a, b) => scaleRegulariser(a, b, order), [randomTensor([5, 3], 1), randomTensor([3], 4)]);
  });

  test('SignSwish slopes on activations and weights, also negative ones beyond 2.4/beta', () => {
    const bench = new Bench(bnnPlus, [[0.2], [-0.2], [0.5]]);
    expect(bench.activationSlopes([0, 0.2, 0.5])['x']).toEqual([5, 3.0237, -0.0846]);
    // alpha is the median 0.2
    expect(bench.weightGradients([1, 1, 1])['weight']).toEqual(
      rounded([0.2 * 3.023661, 0.2 * 3.023661, 0.2 * -0.084622]),
    );
    expect(rounded(new Bench(bnnPlusSquared, [[0.2], [-0.2], [0.5]]).effective())).toEqual([0.3, -0.3, 0.3]);
  });
});

describe('ReActNet', () => {
  test('RSign of the notes: learned thresholds, ApproxSign slope for both', () => {
    const bench = new Bench(reactNet, [[1], [1], [1], [1]]);
    bench.layer.learned['threshold']!.data.fill(-0.2);
    expect(bench.activated([-1, -0.2, 0.1, 0.5])).toEqual([-1, -1, -1, 1]);
    const { x, threshold } = bench.activationSlopes([-1, -0.2, 0.1, 0.5]);
    expect(x).toEqual([0, 1.2, 1.8, 1.4]);
    expect(threshold).toEqual(x);
  });

  test('RPReLU of the notes', () => {
    const layer = new RPRelu(4);
    layer.before.data.fill(-0.5);
    layer.slope.slope.data.fill(0.25);
    layer.after.data.fill(0.1);
    expect(inference(() => rounded(layer.forward(pixel([-1, -0.2, 0.5, 0.5])).data, 3))).toEqual([
      -0.275, -0.075, 0.1, 0.1,
    ]);
  });

  test('activations are binary from the start, weights from the middle of the training', () => {
    const at = (progress: number) => reactNet.schedule!({ progress, epoch: 0 });
    expect(new Bench(reactNet, [[0.5], [-0.25]], at(0.4)).effective()).toEqual([0.5, -0.25]);
    expect(new Bench(reactNet, [[0.5], [-0.25]], at(0.5)).effective()).toEqual([0.375, -0.375]);
  });
});

test('Bop: the flips of the notes', () => {
  const w = Float32Array.of(1, -1, 1, 1);
  flipByMomentum(w, new Float32Array(4), Float32Array.of(2e-4, -2e-4, -2e-4, 1e-6), 0.01, 1e-6);
  expect([...w]).toEqual([-1, 1, 1, 1]);
});

describe('ProxQuant (survey [92])', () => {
  test('the proximal step of the notes; a strong one is the sign; signs are its fixed points', () => {
    const w = Float32Array.of(0.2, 0.95, 1.3, -0.5, -1.05);
    proximalBinary(w, 0.1);
    expect(rounded(w)).toEqual([0.3, 1, 1.2, -0.6, -1]);
    const clipped = Float32Array.of(0.2, -0.9, 0, -0);
    proximalBinary(clipped, 1);
    expect([...clipped]).toEqual([1, -1, 1, 1]);
    proximalBinary(clipped, 0.3);
    expect([...clipped]).toEqual([1, -1, 1, 1]);
  });

  test('float weights, then frozen signs', () => {
    expect(new Bench(proxQuant, [[0.5], [-0.25]], { frozen: 0 }).effective()).toEqual([0.5, -0.25]);
    const bench = new Bench(proxQuant, [[0.5], [-0.25]], { frozen: 1 });
    expect(bench.effective()).toEqual([1, -1]);
    const weight = bench.layer.weight;
    weight.grad = Float32Array.of(1, 1);
    const point = { progress: 0.7, epoch: 7, rate: 0.01, step: 1 };
    proxQuant.update!.beforeStep!([bench.layer], point);
    proxQuant.update!.afterStep!([bench.layer], point);
    expect([[...weight.grad], [...weight.data]]).toEqual([
      [0, 0],
      [1, -1],
    ]);
    weight.grad = null;
  });
});

describe('networks that are soft while they train', () => {
  test('Self-Binarizing (survey [94]): tanh(nu x) with its own slope, the sign at test time', () => {
    const values = [0, 1 / 3, 2 / 3, 1].map((progress) => selfBinarizing.schedule!({ progress, epoch: 0 })['nu']!);
    expect(rounded(values)).toEqual([1, 10, 100, 1000]);
    const soft = values.map((nu) => inference(() => softSign(pixel([0.01]), 'tanh', nu).data[0]!));
    expect(rounded(soft, 6)).toEqual([0.01, 0.099668, 0.761594, 1]);
    const bench = new Bench(selfBinarizing, [[0.1], [-0.2]], { nu: 10 });
    expect(rounded(bench.effective())).toEqual(rounded([Math.tanh(1), Math.tanh(-2)]));
    expect(bench.activationSlopes([0, 0.1])['x']).toEqual(rounded([10, 10 * (1 - Math.tanh(1) ** 2)]));
    bench.context.training = false;
    expect([bench.effective(), bench.activated([-0.1, 0.1])]).toEqual([
      [1, -1],
      [-1, 1],
    ]);
  });

  test('IT-BNN (survey [95]): softsign(lambda x), lambda doubling 16 times, then the sign; activations before weights', () => {
    const at = (progress: number) => itBnn.schedule!({ progress, epoch: 0 });
    expect([at(0), at(0.375), at(0.75)].map(({ lambda }) => lambda)).toEqual([1, 256, Number.POSITIVE_INFINITY]);
    const bench = new Bench(itBnn, [[0.5], [-0.25]], { ...at(0), lambda: 4 });
    expect(bench.effective()).toEqual([0.5, -0.25]);
    expect(bench.activated([0.25, -0.25])).toEqual([0.5, -0.5]);
    expect(bench.activationSlopes([0.25, 0])['x']).toEqual([1, 4]);
    bench.context.values = at(0.8);
    expect([bench.effective(), bench.activated([0.25, -0.25])]).toEqual([
      [0.375, -0.375],
      [1, -1],
    ]);
  });
});
