import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestPowerOfTwo, nearestPowersOfTwo } from './power-of-two.ts';

test('AP2 is the signed power of two at the rounded logarithm, for every normal float32 but the border itself', () => {
  fc.assert(
    fc.property(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-30), max: Math.fround(1e30) }),
      (x) => {
        const log = Math.log2(x);
        fc.pre(Math.abs((((log % 1) + 1) % 1) - 0.5) > 1e-6);
        expect(nearestPowerOfTwo(x)).toBe(2 ** Math.round(log));
        expect(nearestPowerOfTwo(-x)).toBe(-(2 ** Math.round(log)));
      },
    ),
  );
  expect(nearestPowerOfTwo(0)).toBe(0);
});

test('a whole array at once is the same as one by one', () => {
  const values = Float32Array.from({ length: 999 }, (_, i) => (i % 2 ? -1 : 1) * 1.07 ** (i - 500));
  const together = values.slice();
  nearestPowersOfTwo(new Int32Array(together.buffer));
  expect([...together]).toEqual(Array.from(values, nearestPowerOfTwo));
  const zeros = new Int32Array(2);
  nearestPowersOfTwo(zeros);
  expect(zeros).toEqual(new Int32Array(2));
});
