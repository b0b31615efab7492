import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binaryProduct, effectiveWeights } from '../nn/product.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { multiply, sum } from '../tensor/ops/arithmetic.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { BinarizeContext } from './context.ts';
import { bitsOf, codedWeights, quantizersOf } from './precision.ts';
import type { ActivationSum } from './terms.ts';

const context = new BinarizeContext(1);
const weightsOf = (bits: number, w: Tensor): number[] =>
  inference(() => {
    const filter = quantizersOf(`${bits}-bit`)!.weight(w, context);
    return [...effectiveWeights(filter)];
  });

test('precisions are float, binary and 2 to 8 bits', () => {
  expect(['float', 'binary', '2-bit', '8-bit'].map(bitsOf)).toEqual([null, null, 2, 8]);
  for (const wrong of ['1-bit', '9-bit', '16-bit', 'int8', '']) expect(() => bitsOf(wrong)).toThrow(/choose float/);
});

test('two bits: the four levels of the best uniform quantizer, in the spread of the filter', () => {
  // rms 1, reach 1.494: levels -+1.494 and -+0.498, borders at -+0.996 and 0
  const w = new Tensor(
    Float32Array.of(1.3, -1.3, 0.5, -0.5, 0.6, -0.6, Math.sqrt(7 - 2 * (1.69 + 0.25 + 0.36))),
    [1, 1, 7, 1],
  );
  const levels = [1.494, -1.494, 0.498, -0.498, 0.498, -0.498, 1.494];
  for (const [i, value] of weightsOf(2, w).entries()) expect(value).toBeCloseTo(levels[i]!, 5);
});

test('k bits take at most 2^k levels, evenly spaced, and more bits come nearer', () => {
  const w = randomTensor([3, 3, 8, 2], 4);
  let last = Number.POSITIVE_INFINITY;
  for (const bits of [2, 3, 4, 5, 6, 7, 8]) {
    const q = weightsOf(bits, w);
    const column = q.filter((_, i) => i % 2 === 0);
    const levels = [...new Set(column.map((v) => v.toFixed(6)))].map(Number).sort((a, b) => a - b);
    expect(levels.length).toBeLessThanOrEqual(2 ** bits);
    const gaps = levels.slice(1).map((v, i) => v - levels[i]!);
    const step = Math.min(...gaps);
    for (const gap of gaps) expect(Math.abs(gap / step - Math.round(gap / step))).toBeLessThan(0.01);
    const error = q.reduce((sum, v, i) => sum + (v - w.data[i]!) ** 2, 0);
    expect(error).toBeLessThan(last);
    last = error;
  }
});

test('coded weights: the largest of a filter is its last code; no weight is off by more than half a step', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 1, max: 1000 }), (bits, seed) => {
      const w = randomTensor([2, 2, 3, 4], seed);
      const { codes, scale, data } = inference(() => {
        const filter = codedWeights(bits)(w);
        return { codes: filter.codes, scale: filter.scale.slice(), data: filter.data.slice() };
      });
      const most = 2 ** (bits - 1) - 1;
      for (let c = 0; c < 4; c++) {
        const column = codes.filter((_, i) => i % 4 === c);
        expect(Math.max(...column.map(Math.abs))).toBe(most);
      }
      for (const [i, value] of data.entries()) {
        expect(value).toBe(Math.fround(codes[i]! * scale[i % 4]!));
        expect(Math.abs(value - w.data[i]!)).toBeLessThanOrEqual(scale[i % 4]! * 0.5001);
      }
    }),
  );
});

test('activations: even levels over the reach of their spread, as bit-planes up to four bits', () => {
  const x = new Tensor(Float32Array.of(-3, -0.6, 0.1, 2), [1, 1, 1, 4]);
  const kept = { spread: Float32Array.of(1) };
  const evaluation = new BinarizeContext(1);
  evaluation.training = false;
  const values = inference(() => {
    const { terms } = quantizersOf('2-bit')!.activation(x, evaluation, { learned: {}, kept }) as ActivationSum;
    const parts = terms.map(({ bits, scale }) => [...bits.data].map((v) => v * scale!.data[0]!));
    return parts.reduce((sum, part) => sum.map((v, i) => v + part[i]!));
  });
  for (const [i, level] of [-1.494, -0.498, 0.498, 1.494].entries()) expect(values[i]).toBeCloseTo(level, 5);
  const eight = inference(() => [
    ...(quantizersOf('8-bit')!.activation(x, evaluation, { learned: {}, kept }) as Tensor).data,
  ]);
  for (const [i, value] of eight.entries()) expect(Math.abs(value - x.data[i]!)).toBeLessThan(3.882 / 255 + 1e-6);
  expect(kept.spread[0]).toBe(1);
});

test('the spread follows the activations while training', () => {
  const x = new Tensor(new Float32Array(100).fill(2), [1, 1, 1, 100]);
  const kept = { spread: Float32Array.of(0) };
  const { activation } = quantizersOf('4-bit')!;
  inference(() => activation(x, context, { learned: {}, kept }));
  expect(kept.spread[0]).toBeCloseTo(2, 6);
  inference(() => activation(new Tensor(new Float32Array(100).fill(1), x.shape), context, { learned: {}, kept }));
  expect(kept.spread[0]).toBeCloseTo(1.9, 6);
});

test('the gradient of the sum of planes is that of the weights, once, inside the reach', () => {
  // rms 1.0198, reach 2.09: the last weight is outside
  const w = new Tensor(Float32Array.of(0.5, -0.5, 0.1, 2.25, -0.1, 0.1, 0.2, -1.6), [1, 1, 8, 1]);
  const gradient = trainingStep(() => {
    w.requiresGrad = true;
    const identity = Float32Array.from({ length: 64 }, (_, i) => Number(i % 9 === 0));
    const filter = quantizersOf('3-bit')!.weight(w, context);
    const product = binaryProduct(new Tensor(identity, [8, 1, 1, 8]), filter, {});
    backward(sum(multiply(product, new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), product.shape))));
    return [...w.grad!];
  });
  expect(gradient).toEqual([1, 2, 3, 0, 5, 6, 7, 8]);
});

test('the gradient of few-bit activations passes once, inside the reach', () => {
  const x = new Tensor(Float32Array.of(-3, -0.6, 0.1, 1.4), [1, 1, 1, 4], true);
  const kept = { spread: Float32Array.of(1) };
  const evaluation = new BinarizeContext(1);
  evaluation.training = false;
  const gradient = trainingStep(() => {
    const levels = quantizersOf('3-bit')!.activation(x, evaluation, { learned: {}, kept });
    const weights = new Tensor(Float32Array.of(1, 2, 3, 4), [1, 1, 4, 1]);
    backward(sum(binaryProduct(levels, weights, {})));
    return [...x.grad!];
  });
  for (const [i, value] of [0.0, 2, 3, 4].entries()) expect(gradient[i]).toBeCloseTo(value, 4);
});
