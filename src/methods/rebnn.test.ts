import { describe, expect, test } from 'vitest';
import { authors } from './authors.testing.ts';
import { Bench, rounded } from './equations.testing.ts';
import { balance, rebnn } from './rebnn.ts';

describe('ReBNN', () => {
  const signs = authors.weights.flat().map((w) => (w < 0 ? -1 : 1));

  test('gamma is the flipped share of a filter times its largest gradient, within its bounds (eq. 12)', () => {
    const before = Float32Array.from(authors.weights.flat());
    const w = before.slice();
    // one of four in the first filter, two in the second
    for (const i of [3, 1, 4]) w[i]! *= -1;
    const g = Float32Array.from(authors.gradient, (value, i) => value * [1e-4, 2e-4, 5][i % 3]!);
    expect(rounded(balance(w, before, g, 3), 8)).toEqual(
      [0.25 * 3e-4, 0.5 * 4e-4, 1e-5].map((v) => Number(v.toFixed(8))),
    );
    expect(
      rounded(
        balance(
          w,
          before,
          g.map((value) => 10 * value),
          3,
        ),
        8,
      )[1],
    ).toBe(2e-4);
  });

  test('forward: alpha sign(w), alpha from mean|w|; backward: the estimator, and the weighted pull to alpha sign(w)', () => {
    const bench = new Bench(rebnn, authors.weights);
    bench.own.learned['weightScale']!.data.set(authors.scale);
    expect(bench.effective()).toEqual(signs.map((sign, i) => sign * authors.scale[i % 3]!));
    // all weights of the first filter flipped in the last update
    const before = bench.own.kept['before']!;
    before.set(authors.weights.flat().map((w, i) => (i % 3 === 0 ? -w : w)));
    const gamma = [2e-4, 1e-5, 1e-5];
    const pull = authors.weights.flat().map((w, i) => gamma[i % 3]! * (w - authors.scale[i % 3]! * signs[i]!));
    const { weight, weightScale } = bench.weightGradients(authors.gradient);
    const within = authors.weights.flat().map((w) => (Math.abs(w) <= 1 ? 1 : 0));
    const expected = authors.gradient.map((g, i) => within[i]! * authors.scale[i % 3]! * g + pull[i]!);
    expect(weight).toEqual(rounded(expected));
    expect(weightScale).toEqual(
      rounded(
        [0, 1, 2].map((c) =>
          [0, 3, 6, 9].reduce((s, i) => s + (authors.gradient[i + c]! - pull[i + c]!) * signs[i + c]!, 0),
        ),
      ),
    );
  });

  test('P: without a flip the pull is the weakest, with many it is a hundredfold stronger, and it is to the nearer of +-alpha', () => {
    const gradientsAfter = (flipped: boolean) => {
      const bench = new Bench(rebnn, [[0.9], [-0.9]]);
      bench.own.learned['weightScale']!.data.set([0.1]);
      bench.own.kept['before']!.set(flipped ? [-1, 1] : [1, -1]);
      return bench.weightGradients([100, 100])['weight']!;
    };
    const [still, restless] = [gradientsAfter(false), gradientsAfter(true)];
    expect(restless[0]! - 10).toBeCloseTo(2e-4 * 0.8, 4);
    expect(restless[1]! - 10).toBeCloseTo(-2e-4 * 0.8, 4);
    expect(still).toEqual([10, 10]);
  });
});
