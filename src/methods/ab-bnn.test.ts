import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../models/table.ts';
import { ConvUnit } from '../models/units.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { ShiftPRelu } from '../nn/layers.ts';
import { clipAdaptively } from '../optim/adaptive-clip.ts';
import { multiply } from '../tensor/ops/arithmetic.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { abBnn } from './ab-bnn.ts';
import { authors } from './authors.testing.ts';
import { Bench, gradientsOf, rounded } from './equations.testing.ts';

const benchAt = (binaryWeights: number) => {
  const bench = new Bench(abBnn, authors.weights, { binaryWeights });
  bench.own.learned['gain']!.data.set(authors.scale);
  return bench;
};
// biome-ignore format: a matrix
const slopes = [
  0.305335, -0.940776, -1.057439,
  0.440764, -0.245071, -3.270123,
  -0.758686, 1.288618, 3.399119,
  0.012587, -0.102771, 0.928444,
];
const resnet = (method: string) =>
  buildNetwork({ model: 'resnet18', method, inputShape: [32, 32, 3], classes: 10, width: 0.125, seed: 1 });

describe('A&B BNN', () => {
  test("signs of unit filters times gain and mean magnitude, and their gradients (the authors' code)", () => {
    const bench = benchAt(1);
    // biome-ignore format: a matrix
    expect(rounded(bench.effective())).toEqual(rounded([
      0.226128, 0.948677, 1.229805,
      -0.226128, -0.948677, 1.229805,
      -0.226128, 0.948677, 1.229805,
      0.226128, -0.948677, -1.229805,
    ]));
    const { weight, gain } = bench.weightGradients(authors.gradient);
    // the code adds 1e-5 to the spread
    for (const [i, slope] of slopes.entries()) expect(weight![i]).toBeCloseTo(slope, 3);
    for (const [c, slope] of [-1.243704, -0.830093, 0.81987].entries()) expect(gain![c]).toBeCloseTo(slope, 3);
  });

  test("the first stage: unit filters times the gain (the authors' code)", () => {
    const bench = benchAt(0);
    // biome-ignore format: a matrix
    const expected = [
      0.105526, 1.264903, 0.136645,
      -0.316579, -1.264903, 0.81987,
      -0.135677, 0.632452, 1.503095,
      0.34673, -0.632452, -2.45961,
    ];
    for (const [i, value] of bench.effective().entries()) expect(value).toBeCloseTo(expected[i]!, 4);
    const { weight, gain } = bench.weightGradients(authors.gradient);
    for (const [i, slope] of slopes.entries()) expect(weight![i]).toBeCloseTo(slope, 3);
    for (const [c, slope] of [-2.102991, -1.502072, 0.523806].entries()) expect(gain![c]).toBeCloseTo(slope, 4);
  });

  test("activations: the slope of a steep sigmoid (the authors' code)", () => {
    const bench = benchAt(1);
    expect(bench.activated([-1, -0.2, 0.1, 2])).toEqual([-1, -1, 1, 1]);
    const { x } = bench.activationSlopes([-1, -0.2, 0.1, 2]);
    expect(x).toEqual(rounded([0.27106, 1.372706, 1.46675, 0.014799]));
  });

  test("slopes of PReLU are powers of two, whose exponents learn (the authors' code)", () => {
    const layer = new ShiftPRelu(4);
    layer.exponent.data.set([-3, -2.4, -0.6, 0.7]);
    const x = new Tensor(Float32Array.of(-1, -2, -0.5, 3), [1, 4], true);
    expect([...inference(() => layer.forward(x).data)]).toEqual([-0.125, -0.5, -0.25, 3]);
    const weights = new Tensor(Float32Array.of(1, 2, 3, 4), [1, 4]);
    const gradients = gradientsOf({ x, exponent: layer.exponent }, () => multiply(layer.forward(x), weights));
    expect(gradients['x']).toEqual([0.125, 0.5, 1.5, 4]);
    expect(gradients['exponent']).toEqual(rounded([-0.086643, -Math.LN2, -0.51986, 0]));
  });

  test("gradients are clipped to a thousandth of their filter's norm, vectors as a whole (the authors' code)", () => {
    const filters = {
      shape: [1, 1, 4, 3],
      data: Float32Array.from(authors.weights.flat()),
      grad: Float32Array.from(authors.gradient, (g, i) => g * [1e-4, 1, 1][i % 3]!),
    };
    const vector = { shape: [2], data: Float32Array.of(0.5, -0.25), grad: Float32Array.of(3, 4) };
    clipAdaptively([filters, vector, { ...vector, grad: null }], 0.001);
    // biome-ignore format: a matrix
    expect(rounded(filters.grad.map((g) => 1e4 * g), 3)).toEqual(rounded([
      1, -24.199606, 2.52678,
      3, 12.099803, -5.05356,
      0.25, 24.199606, 20.214239,
      -0.5, 9.074853, 7.58034,
    ], 3));
    expect(rounded(vector.grad, 6)).toEqual([0.000335, 0.000447]);
  });

  test("what enters a sign is divided by its expected spread, as in the authors' ResNet-18", () => {
    const scales = resnet('ab-bnn')
      .modules()
      .flatMap(({ value }) =>
        value instanceof ConvUnit ? [(value as unknown as { inputScale: number }).inputScale] : [],
      );
    // biome-ignore format: a stage a line
    expect(rounded(scales, 6)).toEqual([
      1, 1, 0.970143, 0.942809,
      0.917663, 1, 0.970143, 0.942809,
      0.917663, 1, 0.970143, 0.942809,
      0.917663, 1, 0.970143, 0.942809,
    ]);
  });

  test('P: no batch-norm is left in ResNets, VGGs and MLPs, and signals keep their size through all layers', () => {
    for (const [model, side] of [
      ['resnet20', 32],
      ['vgg-small', 32],
      ['sfc', 28],
    ] as const) {
      const network = buildNetwork({
        model,
        method: 'ab-bnn',
        inputShape: [side, side, 1],
        classes: 10,
        width: 0.5,
        seed: 1,
      });
      expect(network.modules().filter(({ value }) => value instanceof BatchNorm)).toEqual([]);
      const pixels = Float32Array.from({ length: 4 * side * side }, (_, i) => Math.sqrt(2) * Math.sin(i * i));
      const logits = inference(() => network.forward(new Tensor(pixels, [4, side, side, 1])).data.slice());
      expect(Math.hypot(...logits) / Math.sqrt(logits.length), model).toBeGreaterThan(0.02);
      expect(Math.hypot(...logits) / Math.sqrt(logits.length), model).toBeLessThan(50);
    }
  });
});
