import { describe, expect, test } from 'vitest';
import { authors } from './authors.testing.ts';
import { Bench, rounded } from './equations.testing.ts';
import { decaySilent, ovsw, scaleUp } from './ovsw.ts';

describe('OvSW', () => {
  const bench = new Bench(ovsw, authors.weights);
  const scale = [0.783332, 0.821583, 0.710033];

  test("forward: sign(w) as large as the standardised weights; backward: that much of the gradient, everywhere (the authors' code)", () => {
    const signs = authors.weights.flat().map((w) => (w < 0 ? -1 : 1));
    expect(rounded(bench.effective(), 3)).toEqual(
      rounded(
        signs.map((sign, i) => sign * scale[i % 3]!),
        3,
      ),
    );
    const { weight } = bench.weightGradients(authors.gradient);
    for (const [i, g] of authors.gradient.entries()) expect(weight![i]).toBeCloseTo(g * scale[i % 3]!, 3);
  });

  test("activations: in training the slope is that of x over its spread, the spread a constant (the authors' code)", () => {
    expect(bench.activated(authors.input)).toEqual([1, -1, 1, 1]);
    // the code's spread is the unbiased one
    const { x } = bench.activationSlopes(authors.input);
    for (const [i, slope] of [1.609382, 1.978038, 0, 0].entries()) expect(Math.abs(x![i]! - slope)).toBeLessThan(0.2);
  });

  test("a step: too small gradients are scaled up, silent weights decay (the authors' code, two of the weights just flipped)", () => {
    const before = Float32Array.from(authors.weights.flat());
    const w = before.slice();
    w[3]! *= -1;
    w[11]! *= -1;
    const flips = new Float32Array(12);
    // the second filter flipped a lot
    for (const i of [1, 4, 7, 10]) flips[i] = 0.5;
    const gradient = Float32Array.from(authors.gradient, (g, i) => g * [0.01, 0.001, 1][i % 3]!);
    scaleUp(gradient, { data: w, channels: 3 });
    decaySilent(gradient, w, before, flips);
    // biome-ignore format: a matrix
    const expected = [
      0.01357319, -0.09679842, 0.49991,
      0.03936958, 0.04839921, -0.99964,
      0.003370798, 0.09679842, 4.00081,
      -0.005751597, 0.03629941, 1.5,
    ];
    expect(rounded(gradient, 6)).toEqual(rounded(expected, 6));
    // biome-ignore format: a matrix
    expect(rounded(flips)).toEqual([
      0, 0.4995, 0,
      0.001, 0.4995, 0,
      0, 0.4995, 0,
      0, 0.4995, 0.001,
    ]);
    expect(before).toEqual(w);
  });
});
