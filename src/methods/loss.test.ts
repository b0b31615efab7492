import { describe, expect, test } from 'vitest';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { distributionLoss } from './bnn-dl.ts';
import { Bench } from './equations.testing.ts';
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
