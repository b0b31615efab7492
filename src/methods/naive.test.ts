import { describe, expect, test } from 'vitest';
import { BatchNorm } from '../nn/batch-norm.ts';
import { effectiveWeights } from '../nn/product.ts';
import { shiftAdamax } from '../optim/shift-adamax.ts';
import { randomTensor, tapeGradients } from '../tensor/gradients.testing.ts';
import { exactNorm, shiftNorm } from '../tensor/ops/normalise.ts';
import { inference, trainingStep } from '../tensor/tape.ts';
import { binaryConnectFloatTest } from './binary-connect.ts';
import { bitwise, ternarySigns } from './bitwise.ts';
import { Bench, rounded } from './equations.testing.ts';

describe('shift-based BNN (survey [57])', () => {
  const warmed = (rule: typeof shiftNorm) => {
    const norm = new BatchNorm(3, { rule });
    norm.gamma.data.set([1.3, 0.2, -3]);
    for (let i = 0; i < 60; i++) trainingStep(() => norm.forward(randomTensor([4, 5, 5, 3], i, 2)));
    return norm;
  };

  test('P: every factor of the batch-norm is a power of two, within sqrt(2) squared of the exact one', () => {
    const [shifted, exact] = [warmed(shiftNorm).folded().scale, warmed(exactNorm).folded().scale];
    shifted.forEach((factor, c) => {
      expect(Number.isInteger(Math.log2(Math.abs(factor)))).toBe(true);
      expect(factor / exact[c]!).toBeGreaterThan(0.45);
      expect(factor / exact[c]!).toBeLessThan(2.2);
    });
  });

  test('its gradient leaves no mean in a channel, as that of any batch-norm', () => {
    const norm = new BatchNorm(3, { rule: shiftNorm });
    const [dx] = tapeGradients((x) => norm.forward(x), [randomTensor([4, 5, 5, 3], 1, 2)]);
    for (const c of [0, 1, 2]) {
      let sum = 0;
      for (let i = c; i < dx!.length; i += 3) sum += dx![i]!;
      expect(Math.abs(sum)).toBeLessThan(1e-3);
    }
  });

  test('AdaMax by shifts: first step on g = (1, -0.3): w -= AP2(rate/(1-b1)) (1-b1) g AP2(1/|g|)', () => {
    const data = Float32Array.of(0, 0);
    const grad = Float32Array.of(1, -0.3);
    const parameter = { name: 'w', data, grad, decay: false, rateFactor: 1 };
    shiftAdamax().update([parameter], new Map(), 2 ** -10, 1);
    // rate/(1-b1) = 2^-7, already a power of two; 1/0.3 is nearest to 4
    expect(data[0]).toBeCloseTo(-(2 ** -7) * 2 ** -3, 9);
    expect(data[1]).toBeCloseTo(2 ** -7 * 2 ** -3 * 0.3 * 4, 9);
  });
});

test('BinaryConnect may be tested with its float weights (survey [59])', () => {
  const bench = new Bench(binaryConnectFloatTest, [[0.5], [-0.25]]);
  expect(bench.effective().map(Math.abs)).toEqual([1, 1]);
  bench.context.training = false;
  expect(bench.effective()).toEqual([0.5, -0.25]);
});

describe('Bitwise Neural Networks (survey [69])', () => {
  test('tanh on weights and activations, then their signs with the slope of tanh', () => {
    const bench = new Bench(bitwise, [[0.5], [-0.25]], { soft: 1 });
    expect(rounded(bench.effective())).toEqual(rounded([Math.tanh(0.5), Math.tanh(-0.25)]));
    bench.context.values = bitwise.schedule!({ progress: 0.6, epoch: 0 });
    expect(bench.effective()).toEqual([1, -1]);
    const slope = (x: number) => 1 - Math.tanh(x) ** 2;
    expect(bench.weightGradients([1, 2])['weight']).toEqual(rounded([slope(0.5), 2 * slope(0.25)]));
    expect(bench.activationSlopes([0, -2])['x']).toEqual(rounded([1, slope(2)]));
  });

  test('the second stage starts from tanh(w), once', () => {
    const bench = new Bench(bitwise, [[0.5], [-2]]);
    const at = (progress: number) =>
      bitwise.update!.beforeStep!([bench.layer], { progress, epoch: 0, rate: 1, step: 1 });
    at(0.4);
    expect([...bench.layer.weight.data]).toEqual([0.5, -2]);
    for (const progress of [0.5, 0.6]) at(progress);
    expect(rounded(bench.layer.weight.data)).toEqual(rounded([Math.tanh(0.5), Math.tanh(-2)]));
  });

  test('P: the share of zeros is the one asked for, and none when none is; the others are signs', () => {
    const w = randomTensor([1, 1, 200, 1], 3);
    const zeros = (share: number) =>
      inference(() => {
        const values = [...effectiveWeights(ternarySigns(share)(w, {} as never))];
        expect(values.every((v, i) => v === 0 || v === (w.data[i]! < 0 ? -1 : 1))).toBe(true);
        return values.filter((v) => v === 0).length / 200;
      });
    expect([0, 0.25, 0.5].map(zeros)).toEqual([0, 0.25, 0.5]);
  });
});
