import { describe, expect, test } from 'vitest';
import { authors } from './authors.testing.ts';
import { Bench, rounded } from './equations.testing.ts';
import { fdaBnn, fourierSlope } from './fda-bnn.ts';

const omega = 0.1;
/** The sum of the cosines in closed form, sin(2(n + 1) t)/(2 sin t). */
const slope = (x: number, n: number): number => {
  if (Math.abs(x) > 1) return 0;
  const t = omega * x;
  return ((4 * omega) / Math.PI) * (t === 0 ? n + 1 : Math.sin(2 * (n + 1) * t) / (2 * Math.sin(t)));
};
const noisy = { terms: 9, noise: 0.08 };

/** E relu(S v), the matrices as they lie, [hidden,size] and [size,hidden]; `byColumns` for those that are transposed. */
function narrow(v: readonly number[], squeeze: ArrayLike<number>, excite: ArrayLike<number>): number[] {
  // four and one: a hidden layer of one value
  const hidden = Math.max(
    0,
    v.reduce((sum, value, i) => sum + value * squeeze[i]!, 0),
  );
  return v.map((_, i) => hidden * excite[i]!);
}

describe('FDA-BNN', () => {
  test('the slope is the derivative of the Fourier series of sign, 0 beyond 1', () => {
    for (const n of [0, 9, 18])
      for (const x of [-1.2, -1, -0.3, 0, 0.01, 0.9, 1, 1.0001])
        expect(fourierSlope(x, n)).toBeCloseTo(slope(x, n), 10);
    const bench = new Bench(fdaBnn, authors.weights, { terms: 12, noise: 0 });
    const { x } = bench.activationSlopes([-1.5, -0.4, 0, 0.8]);
    expect(x).toEqual(rounded([-1.5, -0.4, 0, 0.8].map((v) => slope(v, 12))));
  });

  test('without noise: mean|w| sign(w), and mean|w| g times the slope', () => {
    const bench = new Bench(fdaBnn, authors.weights, { terms: 9, noise: 0 });
    const alpha = [0, 1, 2].map((c) => authors.weights.reduce((sum, row) => sum + Math.abs(row[c]!), 0) / 4);
    expect(rounded(bench.effective())).toEqual(
      rounded(authors.weights.flat().map((w, i) => (w < 0 ? -1 : 1) * alpha[i % 3]!)),
    );
    const flat = authors.weights.flat();
    expect(bench.weightGradients(authors.gradient)['weight']).toEqual(
      rounded(flat.map((w, i) => authors.gradient[i]! * alpha[i % 3]! * slope(w, 9))),
    );
  });

  test('in training signs are x + noise (W2 relu(W1 x) + 0.1 sin x), and everything in it learns', () => {
    const bench = new Bench(fdaBnn, authors.weights, noisy);
    const { learned } = bench.own;
    const squeeze = learned['activationSqueeze']!;
    squeeze.data.set([0.5, -0.25, 1, 2]);
    const excite = learned['activationExcite']!;
    excite.data.set([1, -1, 0.5, 0.25]);
    const x = [...authors.input];
    const noise = narrow(x, squeeze.data, excite.data).map((value, i) => value + 0.1 * Math.sin(x[i]!));
    expect(rounded(bench.activated(x))).toEqual(rounded(x.map((v, i) => Math.sign(v) + 0.08 * noise[i]!)));
    const gradients = bench.activationSlopes(x);
    const total = [...excite.data].reduce((a, b) => a + b);
    expect(gradients['x']).toEqual(
      rounded(x.map((v, i) => slope(v, 9) + 0.08 * (squeeze.data[i]! * total + 0.1 * Math.cos(v)))),
    );
    expect(gradients['activationSqueeze']).toEqual(rounded(x.map((v) => 0.08 * v * total)));
    const hidden = x.reduce((sum, v, i) => sum + v * squeeze.data[i]!, 0);
    expect(gradients['activationExcite']).toEqual(rounded(x.map(() => 0.08 * hidden)));
  });

  test('the noise of weights: one hidden value for each filter, scaled as the filter is', () => {
    const bench = new Bench(fdaBnn, authors.weights, noisy);
    const { learned } = bench.own;
    const [squeeze, excite] = [
      [1, 0.5, -1, -0.5],
      [0.5, 0.25, -1, 2],
    ] as const;
    learned['weightSqueeze']!.data.set(squeeze);
    learned['weightExcite']!.data.set(excite);
    const filters = [0, 1, 2].map((c) => authors.weights.map((row) => row[c]!));
    const alpha = filters.map((filter) => filter.reduce((sum, w) => sum + Math.abs(w), 0) / 4);
    const expected = filters.map((filter, c) =>
      narrow(filter, squeeze, excite).map(
        (value, i) => alpha[c]! * ((filter[i]! < 0 ? -1 : 1) + 0.08 * (value + 0.1 * Math.sin(filter[i]!))),
      ),
    );
    expect(rounded(bench.effective())).toEqual(rounded(authors.weights.flatMap((_, i) => expected.map((f) => f[i]!))));
  });

  test('P: terms grow from 9 to 18, the noise fades to nothing, and evaluation has bits alone', () => {
    const at = (progress: number) => fdaBnn.schedule!({ progress, epoch: 400 * progress });
    expect(at(0)).toEqual({ terms: 9, noise: 0.1 });
    expect(at(0.5)).toEqual({ terms: 13, noise: expect.closeTo(0.05, 10) });
    expect(at(1)).toEqual({ terms: 18, noise: 0 });
    const bench = new Bench(fdaBnn, authors.weights, noisy);
    bench.context.training = false;
    expect(bench.activated(authors.input)).toEqual([1, -1, 1, 1]);
  });
});
