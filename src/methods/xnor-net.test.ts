import { expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Bench } from './equations.testing.ts';
import { centreAndClamp, scaleGradientByCode, xnorNetCode } from './xnor-net.ts';

function drawn(shape: readonly number[], seed: number, deviation = 0.8): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  new Random(seed).fillNormal(data, 0, deviation);
  return new Tensor(data, [...shape]);
}

// allenai/XNOR-Net, util.lua: m = mean|w|, 0 where |w| >= 1; (m + 1/n)(1 - 1/s)n
test("the gradient's factor is that of the authors' code", () => {
  const [kh, kw, from, to] = [3, 3, 4, 2];
  const w = drawn([kh, kw, from, to], 1);
  w.data[5] = 1;
  w.data[6] = -1;
  const gradient = drawn([kh, kw, from, to], 2).data;
  const before = gradient.slice();
  scaleGradientByCode(gradient, w);
  const n = kh * kw * from;
  for (let o = 0; o < to; o++) {
    const filter = Array.from({ length: n }, (_, i) => w.data[i * to + o]!);
    const mean = filter.reduce((sum, value) => sum + Math.abs(value), 0) / n;
    filter.forEach((value, i) => {
      const m = value <= -1 || value >= 1 ? 0 : mean;
      expect(gradient[i * to + o]).toBeCloseTo(before[i * to + o]! * (m + 1 / n) * (1 - 1 / from) * n, 4);
    });
  }
});

test('latents lose their mean over the input channels, then are clamped', () => {
  const shape = [2, 1, 3, 2];
  const w = drawn(shape, 3, 2);
  const before = w.data.slice();
  centreAndClamp(w);
  for (let tap = 0; tap < 2; tap++)
    for (let o = 0; o < 2; o++) {
      const at = (c: number) => (tap * 3 + c) * 2 + o;
      const mean = (before[at(0)]! + before[at(1)]! + before[at(2)]!) / 3;
      for (let c = 0; c < 3; c++)
        expect(w.data[at(c)]).toBeCloseTo(Math.max(-1, Math.min(1, before[at(c)]! - mean)), 5);
    }
});

test('weights are mean|w| sign w, and the gradient that the rule scales is that of the product', () => {
  const bench = new Bench(xnorNetCode, [
    [0.5, -3],
    [-0.25, 1],
  ]);
  expect(bench.effective()).toEqual([0.375, -2, -0.375, 2]);
  expect(bench.weightGradients([1, 2, 3, 4])['weight']).toEqual([1, 2, 3, 4]);
});
