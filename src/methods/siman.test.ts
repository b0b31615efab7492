import { describe, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { Tensor } from '../tensor/tensor.ts';
import { authors } from './authors.testing.ts';
import { Bench, rounded } from './equations.testing.ts';
import { drawIn, siman } from './siman.ts';

const { weights } = authors;
const filters = [0, 1, 2].map((c) => weights.map((row) => row[c]!));

const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;

/** |w| of a standardised filter, by the unbiased spread. */
function magnitudes(filter: readonly number[]): number[] {
  const mean = meanOf(filter);
  const variance = filter.reduce((sum, w) => sum + (w - mean) ** 2, 0) / (filter.length - 1);
  return filter.map((w) => Math.abs(w - mean) / Math.sqrt(variance));
}

describe('SiMaN', () => {
  test('forward: of each standardised filter the half that is larger in magnitude is +alpha, the other -alpha; alpha starts at mean|w|', () => {
    const bench = new Bench(siman, weights);
    // the layer begins with random weights: its alpha as well
    const alpha = [0.5, 2, 3];
    bench.own.learned['weightScale']!.data.set(alpha);
    const expected = filters.map((filter, c) => {
      const larger = magnitudes(filter)
        .map((m, i) => ({ m, i }))
        .toSorted((a, b) => b.m - a.m)
        .slice(0, 2)
        .map(({ i }) => i);
      return filter.map((_, i) => (larger.includes(i) ? alpha[c]! : -alpha[c]!));
    });
    expect(bench.effective()).toEqual(weights.flatMap((_, i) => expected.map((filter) => filter[i]!)));
    const start = siman.weight.start!({
      weight: new Tensor(Float32Array.from(weights.flat()), [1, 1, 4, 3]),
      input: [1, 1, 4],
      output: [1, 1, 3],
      random: new Random(1),
    });
    expect(rounded(start.learned!['weightScale']!.values)).toEqual([0.425, 1.5, 0.85]);
  });

  test('backward: the gradient of alpha |standardised w|; dL/dalpha = sum g b', () => {
    const bench = new Bench(siman, weights);
    const alpha = [0.5, 2, 3];
    bench.own.learned['weightScale']!.data.set(alpha);
    const g = [1, -2, 0.5, 3, 1, -1, 0.25, 2, 4, -0.5, 0.75, 1.5];
    const { weight, weightScale } = bench.weightGradients(g);
    const surrogate = (w: readonly (readonly number[])[]) =>
      w.reduce(
        (sum, filter, c) => sum + magnitudes(filter).reduce((part, m, i) => part + alpha[c]! * m * g[i * 3 + c]!, 0),
        0,
      );
    const step = 1e-5;
    const numeric = weights.flatMap((row, i) =>
      row.map((_, c) => {
        const moved = (by: number) => filters.map((f, k) => f.map((w, n) => (k === c && n === i ? w + by : w)));
        return (surrogate(moved(step)) - surrogate(moved(-step))) / (2 * step);
      }),
    );
    for (const [i, value] of numeric.entries()) expect(weight![i]).toBeCloseTo(value, 3);
    const bits = bench.effective().map((value, i) => value / alpha[i % 3]!);
    expect(weightScale).toEqual(
      rounded([0, 1, 2].map((c) => [0, 3, 6, 9].reduce((s, i) => s + g[i + c]! * bits[i + c]!, 0))),
    );
  });

  test('activations: sign of each image minus its mean, slope max(0, 2 - 2|x|) of the standardised value', () => {
    const bench = new Bench(siman, weights);
    const values = [0, 1, 2, 5];
    expect(bench.activated(values)).toEqual([-1, -1, 1, 1]);
  });

  test("forward and backward as the authors' code has it", () => {
    const bench = new Bench(siman, weights);
    bench.own.learned['weightScale']!.data.set(authors.scale);
    // biome-ignore format: a matrix
    expect(bench.effective()).toEqual([
      -0.5, 2, -3,
      0.5, 2, -3,
      -0.5, -2, 3,
      0.5, -2, 3,
    ]);
    const { weight, weightScale } = bench.weightGradients(authors.gradient);
    // biome-ignore format: a matrix
    const expected = [
      1.358743, -1.875947, -0.321624,
      -1.204011, -0.451871, -5.479908,
      0.976057, 2.587986, 4.745849,
      -1.130789, -0.260168, 1.055683,
    ];
    for (const [i, value] of expected.entries()) expect(weight![i]).toBeCloseTo(value, 3);
    expect(weightScale).toEqual([1.25, -3.75, 6]);
    expect(bench.activated(authors.input)).toEqual([-1, -1, 1, 1]);
    const w = new Tensor(Float32Array.from(weights.flat()), [1, 1, 4, 3]);
    drawIn(w, 10);
    // biome-ignore format: a matrix
    expect(rounded(w.data)).toEqual([
      0.18, 1.98, 0.18,
      -0.525, -1.98, 0.6,
      -0.225, 1, 1.1,
      0.575, -1, -1.8,
    ]);
  });

  test('P: exactly half of the bits of every filter are +1, whatever the mean and the signs of its weights', () => {
    const shifted = randomTensor([1, 1, 144, 5], 3).data.map((value, i) => value + 3 * (i % 5) - 4);
    const rows = Array.from({ length: 144 }, (_, i) => [...shifted.subarray(5 * i, 5 * i + 5)]);
    const effective = new Bench(siman, rows).effective();
    for (let c = 0; c < 5; c++) expect(effective.filter((value, i) => i % 5 === c && value > 0)).toHaveLength(72);
  });

  test('after each step weights lose the mean of their filter and are clamped to percentiles of the layer', () => {
    const w = new Tensor(Float32Array.from(weights.flat()), [1, 1, 4, 3]);
    drawIn(w, 10);
    const centred = weights.map((row) => row.map((value, c) => value - meanOf(filters[c]!)));
    const sorted = centred
      .flat()
      .map(Math.abs)
      .toSorted((a, b) => a - b);
    // twelve values: the percentiles 10 and 90 lie at places 1.1 and 9.9
    const low = sorted[1]! + 0.1 * (sorted[2]! - sorted[1]!);
    const high = sorted[9]! + 0.9 * (sorted[10]! - sorted[9]!);
    const clamped = centred.flat().map((value) => Math.sign(value) * Math.min(Math.max(Math.abs(value), low), high));
    expect(rounded(w.data)).toEqual(rounded(clamped));
  });

  test('the clamped share falls from 15 % to nothing, once an epoch', () => {
    const network = buildNetwork({
      model: 'resnet20',
      method: 'siman',
      inputShape: [8, 8, 3],
      classes: 3,
      width: 0.25,
      seed: 1,
    });
    const layers = network.modules().flatMap(({ value }) => (value instanceof BinaryConv2d ? [value] : []));
    const largest = (epoch: number) => {
      const { weight } = layers[0]!;
      const kept = weight.data.slice();
      siman.update!.afterStep!([layers[0]!], { epoch, progress: epoch / 4, rate: 0.1, step: 1 });
      const at = Math.max(...weight.data);
      weight.data.set(kept);
      return at;
    };
    const [first, within, second, last] = [0, 0.75, 1, 4].map(largest);
    expect(within).toBe(first);
    expect(first).toBeLessThan(second!);
    expect(second).toBeLessThan(last!);
  });
});
