import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLevels, plainCodes, planeCount, unitCodes } from './level-codes.ts';
import { type Ties, unitCode } from './unit-levels.ts';

/** float32 neighbours of every rounding border, where comparison and rounding could part. */
function borders(bits: number, ties: Ties): number[] {
  return [...unitCodes(bits, ties).thresholds].flatMap((threshold) => {
    const pattern = new Uint32Array(Float32Array.of(threshold).buffer)[0]!;
    return [-2, -1, 0, 1].map((step) => new Float32Array(Uint32Array.of(pattern + step).buffer)[0]!);
  });
}

test.each(['even', 'up'] as const)(
  'unit codes decide as rounding does, for every float32, also next to the borders (halves %s)',
  (ties) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.float({ noNaN: true }), (bits, value) => {
        const inputs = Float32Array.from([value, ...borders(bits, ties), -0.5, 0, 1, 2]);
        const codes = new Float32Array(inputs.length);
        decodeLevels(inputs, unitCodes(bits, ties), 1, codes);
        for (const [i, x] of inputs.entries()) expect(codes[i]).toBe(unitCode(Math.min(1, Math.max(0, x)), bits, ties));
      }),
    );
  },
);

test('halves of the float32 product go to the even code, as the processor rounds', () => {
  const shift = 2 ** 23;
  for (let bits = 1; bits <= 8; bits++) {
    const levels = 2 ** bits - 1;
    for (let i = 0; i < levels; i++) {
      const pattern = new Uint32Array(Float32Array.of((i + 0.5) / levels).buffer);
      for (const step of [-1, 0, 1]) {
        const x = new Float32Array(Uint32Array.of(pattern[0]! + step).buffer)[0]!;
        // at 2^23 float32 has no fractions: the addition rounds to the nearest, halves to even
        const rounded = Math.fround(Math.fround(x * levels) + shift) - shift;
        expect(unitCode(x, bits)).toBe(rounded);
      }
    }
  }
  expect([unitCode(0.5, 1), unitCode(0.5, 1, 'up'), unitCode(0.5, 2)]).toEqual([0, 1, 2]);
});

test('plane count follows from the patterns', () => {
  expect([1, 2, 4].map((bits) => planeCount(unitCodes(bits)))).toEqual([1, 2, 4]);
  expect(planeCount(plainCodes(Float32Array.of(0.5)))).toBe(1);
});
