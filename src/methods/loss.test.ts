import { describe, expect, test } from 'vitest';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { distributionLoss } from './bnn-dl.ts';
import { orthogonality } from './defensive-quantization.ts';
import { Bench } from './equations.testing.ts';
import { inq, inqBinary, powersOfTwo } from './inq.ts';
import { curvatureScale, lab } from './lab.ts';

describe('LAB (survey [83])', () => {
  test('the scale of the notes; constant curvature gives mean|w|, as BWN', () => {
    const w = Float32Array.of(1, -2, 0.5, -0.1);
    expect(curvatureScale(w, Float32Array.of(1, 4, 0.25, 1))).toBeCloseTo(1.18889, 5);
    for (const v of [0, 3]) expect(curvatureScale(w, new Float32Array(4).fill(v))).toBeCloseTo(0.9, 6);
  });

  test('P: no other scale has a smaller curvature-weighted error', () => {
    const [w, v] = [randomTensor([50], 1).data, randomTensor([50], 2).data.map((x) => x * x)];
    const error = (alpha: number) =>
      w.reduce((sum, x, i) => sum + Math.sqrt(v[i]!) * (x - alpha * (x < 0 ? -1 : 1)) ** 2, 0);
    const best = curvatureScale(w, v);
    for (const factor of [0.5, 0.9, 0.99, 1.01, 1.1, 2]) expect(error(best)).toBeLessThan(error(best * factor));
  });

  test('one scale a layer; the gradient of the binary weight is applied unchanged and averaged into the curvature', () => {
    const bench = new Bench(lab, [[1], [-2], [0.5], [-0.1]]);
    expect(bench.effective().map((x) => Number(x.toFixed(4)))).toEqual([0.9, -0.9, 0.9, -0.9]);
    expect(bench.weightGradients([1, 2, 3, 4])['weight']).toEqual([1, 2, 3, 4]);
    bench.layer.weight.grad = Float32Array.of(1, 2, 0, 0);
    lab.update!.beforeStep!([bench.layer], { progress: 0, epoch: 0, rate: 1, step: 1 });
    bench.layer.weight.grad = null;
    expect([...bench.layer.kept['curvature']!.data].map((x) => Number(x.toFixed(6)))).toEqual([0.001, 0.004, 0, 0]);
  });
});

describe('BNN-DL (survey [85])', () => {
  /** Three channels of two rows with the means and spreads of the notes. */
  const example = new Tensor(Float32Array.of(-1, 0.5, -2, 1, 2.5, 8), [2, 1, 1, 3]);

  test('the distribution loss of the notes: mismatch 1, degeneration 1.25, saturation 1 over three channels', () => {
    expect(inference(() => distributionLoss(example).data[0])).toBeCloseTo(1.083333, 5);
  });

  test('its gradient by finite differences, through mean and spread', () => {
    checkGradients(distributionLoss, [randomTensor([4, 3, 3, 5], 3)], 1e-3);
    checkGradients(
      distributionLoss,
      [
        new Tensor(
          example.data.map((x) => 3 * x),
          example.shape,
          true,
        ),
      ],
      1e-3,
    );
  });
});

describe('INQ (survey [84])', () => {
  test('the exponents of the notes: largest 0.9 at 5 bits, 1.6 at 3, 1.2 at 2', () => {
    const reachable = (largest: number, bits: number) => {
      const quantize = powersOfTwo(bits)({ largest, mean: 0 });
      const values = Array.from({ length: 4000 }, (_, i) => quantize((largest * i) / 3999));
      return [...new Set(values)].filter((v) => v > 0).map(Math.log2);
    };
    expect(reachable(0.9, 5)).toEqual([-7, -6, -5, -4, -3, -2, -1, 0]);
    expect(reachable(1.6, 3)).toEqual([0, 1]);
    expect(reachable(1.2, 2)).toEqual([0]);
    const quantize = powersOfTwo(5)({ largest: 0.9, mean: 0 });
    expect([0.74, 0.76, -0.4, 0.003].map(quantize)).toEqual([0.5, 1, -0.5, 0]);
  });

  test.each([
    ['inq', (v: number) => v === 0 || Number.isInteger(Math.log2(Math.abs(v)))],
    ['inq-binary', (v: number) => v !== 0],
  ])('P: %s freezes 50, 75, 87.5, 100 %% of the weights, and frozen ones never change', (id, isLevel) => {
    const method = id === 'inq' ? inq : inqBinary;
    const bench = new Bench(
      method,
      Array.from({ length: 32 }, (_, i) => [((i % 7) - 3.2) / 5]),
    );
    const { weight, kept } = bench.layer;
    const seen: number[] = [];
    let before = new Map<number, number>();
    for (const progress of [0, 0.1, 0.25, 0.5, 0.75, 0.9]) {
      weight.grad = new Float32Array(32).fill(1);
      const point = { progress, epoch: 0, rate: 0.1, step: 1 };
      method.update!.beforeStep!([bench.layer], point);
      for (let i = 0; i < 32; i++) weight.data[i]! -= 0.01 * weight.grad[i]! + 0.001 * weight.data[i]!;
      method.update!.afterStep!([bench.layer], point);
      const frozen = new Map<number, number>();
      kept['frozen']!.data.forEach((flag, i) => {
        if (flag) frozen.set(i, weight.data[i]!);
      });
      for (const [i, value] of before) expect(frozen.get(i)).toBe(value);
      before = frozen;
      seen.push(frozen.size);
    }
    weight.grad = null;
    expect(seen).toEqual([16, 16, 24, 28, 32, 32]);
    expect([...weight.data].every(isLevel)).toBe(true);
    if (id === 'inq-binary') expect(new Set(weight.data.map(Math.abs)).size).toBe(1);
  });
});

describe('Defensive Quantization (survey [66])', () => {
  test('the term of the notes, by rows or columns, whichever are fewer, and its gradient', () => {
    const wide = new Tensor(Float32Array.of(1, 0, 1, 0, 1, 0), [2, 3]);
    expect(inference(() => orthogonality(wide).data[0])).toBeCloseTo(0.5, 6);
    const tall = new Tensor(Float32Array.of(1, 0, 0, 1, 1, 0), [3, 2]);
    expect(inference(() => orthogonality(tall).data[0])).toBeCloseTo(0.5, 6);
    for (const shape of [
      [3, 3, 2, 4],
      [1, 1, 3, 7],
    ])
      checkGradients(orthogonality, [randomTensor(shape, 3, 0.5)], 1e-3);
  });

  test('P: an orthogonal layer costs nothing', () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    expect(inference(() => orthogonality(new Tensor(Float32Array.of(c, -s, s, c), [2, 2])).data[0])).toBeCloseTo(0, 10);
  });
});
