import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { authors } from './authors.testing.ts';
import { biper, waveEnergy } from './biper.ts';
import { Bench, gradientsOf, rounded } from './equations.testing.ts';

const benchAt = (binaryWeights: number) => {
  const bench = new Bench(biper, authors.weights, { binaryWeights });
  bench.own.learned['weightScale']!.data.set(authors.scale);
  return bench;
};
// biome-ignore format: a matrix
const slopes = [
  -8.390715, 76.193039, -12.484406,
  -19.609308, 16.323282, 8.730002,
  -1.040367, -53.355045, 158.476013,
  -3.301584, 30, -60.024422,
];

describe('BiPer', () => {
  test("first stage: alpha sin(20 w) and its gradients (the authors' code)", () => {
    const bench = benchAt(0);
    // biome-ignore format: a matrix
    expect(rounded(bench.effective(), 5)).toEqual(rounded([
      -0.272011, -0.609621, -2.727892,
      0.378401, -1.825891, 2.968075,
      0.454649, 1.490226, -2.252962,
      -0.375494, 0, -2.235339,
    ], 5));
    const { weight, weightScale } = bench.weightGradients(authors.gradient);
    for (const [i, slope] of slopes.entries()) expect(weight![i]).toBeCloseTo(slope, 3);
    expect(rounded(weightScale!, 4)).toEqual(rounded([2.329204, 1.186902, -5.565626], 4));
  });

  test("second stage: alpha sign(sin(20 w)) with the gradient of the sine (the authors' code; sign(0) = +1 here, 0 there)", () => {
    const bench = benchAt(1);
    // biome-ignore format: a matrix
    expect(bench.effective()).toEqual([
      -0.5, -2, -3,
      0.5, -2, 3,
      0.5, 2, -3,
      -0.5, 2, -3,
    ]);
    const { weight, weightScale } = bench.weightGradients(authors.gradient);
    for (const [i, slope] of slopes.entries()) expect(weight![i]).toBeCloseTo(slope, 3);
    expect(weightScale).toEqual([2.75, 3 + 0.75, -7]);
  });

  test("the regulariser and its gradient (the authors' code)", () => {
    const w = new Tensor(Float32Array.from(authors.weights.flat()), [1, 1, 4, 3], true);
    expect(inference(() => waveEnergy(w).data[0])).toBeCloseTo(0.555493, 5);
    // biome-ignore format: a matrix
    expect(gradientsOf({ w }, () => waveEnergy(w))['w']).toEqual(rounded([
      1.521575, 0.967685, 1.261338,
      -1.64893, -1.241855, -0.479839,
      -1.261338, -1.656481, -1.652965,
      -1.652965, 0, 1.656481,
    ]));
  });

  test("two trainings, of which the second begins with alpha = mean |w| (the authors' code)", () => {
    const [first, second] = biper.stages!;
    expect([first, second].map((stage) => [stage!.epochs, stage!.binary])).toEqual([
      [600, 'activations'],
      [300, 'both'],
    ]);
    const at = { progress: 0.5, epoch: 9 };
    expect([first!.schedule!(at), biper.schedule!(at)]).toEqual([{ tau: 0.037 }, { tau: 0.0468 }]);
    const { rate, weightDecay } = second!.defaults!.optimizer!;
    expect([rate, weightDecay]).toEqual([0.0037, 1.6e-4]);
    const config = { model: 'sfc', method: 'biper', inputShape: [8, 8, 1], classes: 4, width: 0.02, seed: 1 } as const;
    const layers = buildNetwork(config)
      .modules()
      .flatMap(({ value }) => (value instanceof BinaryConv2d ? [value] : []));
    second!.begin!(layers);
    for (const { weight, learned } of layers)
      for (const [c, alpha] of learned['weightScale']!.data.entries()) {
        const filter = weight.data.filter((_, i) => i % weight.channels === c);
        expect(alpha).toBeCloseTo(filter.reduce((sum, w) => sum + Math.abs(w), 0) / filter.length, 5);
      }
  });

  test('P: the bits are those of the wave: they alternate twenty times a period of 2 pi', () => {
    const bits = Array.from({ length: 40 }, (_, i) => [((i + 0.5) * Math.PI) / 20]);
    const effective = new Bench(biper, bits).effective();
    const signs = effective.map((value) => value / Math.abs(value));
    expect(signs).toEqual(bits.map((_, i) => (i % 2 === 0 ? 1 : -1)));
  });
});
