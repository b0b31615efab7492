import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nthSmallest, quantile } from './quantile.ts';

const withTies = fc.array(fc.constantFrom(-2, -1, -0.5, 0, 0.25, 1, 3, 7.5), { minLength: 1, maxLength: 60 });
const many = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 });

test('nthSmallest is what sorting puts at the place, with what is smaller before it', () => {
  fc.assert(
    fc.property(fc.oneof(withTies, many), fc.double({ min: 0, max: 1, noNaN: true }), (values, at) => {
      const array = Float32Array.from(values, (value) => value + 0);
      const n = Math.floor(at * (array.length - 1));
      const sorted = array.slice().sort();
      expect(nthSmallest(array, n)).toBe(sorted[n]);
      expect(Math.max(...array.subarray(0, n), Number.NEGATIVE_INFINITY)).toBeLessThanOrEqual(array[n]!);
      expect(Math.min(...array.subarray(n))).toBe(array[n]);
      expect(array.sort()).toEqual(sorted);
    }),
  );
});

test('quantiles lie between the values in a straight line', () => {
  const of = (share: number) => quantile(Float32Array.of(5, 1, 3, 2), share);
  expect([0, 1 / 3, 0.5, 0.9, 1].map(of)).toEqual([1, 2, 2.5, expect.closeTo(4.4, 6), 5]);
});
