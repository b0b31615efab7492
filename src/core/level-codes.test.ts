import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLevels, plainCodes, planeCount, unitCodes } from './level-codes.ts';
import { quantizeUnit } from './unit-levels.ts';

/** float32 neighbours of every rounding border, where comparison and rounding could part. */
function borders(bits: number): number[] {
  return [...unitCodes(bits).thresholds].flatMap((threshold) => {
    const pattern = new Uint32Array(Float32Array.of(threshold).buffer)[0]!;
    return [-2, -1, 0, 1].map((step) => new Float32Array(Uint32Array.of(pattern + step).buffer)[0]!);
  });
}

test('unit codes decide as rounding does, for every float32, also next to the borders', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.float({ noNaN: true }), (bits, value) => {
      const inputs = Float32Array.from([value, ...borders(bits), -0.5, 0, 1, 2]);
      const codes = new Float32Array(inputs.length);
      decodeLevels(inputs, unitCodes(bits), 1, codes);
      for (const [i, x] of inputs.entries())
        expect(codes[i]).toBe(Math.round(quantizeUnit(Math.min(1, Math.max(0, x)), bits) * (2 ** bits - 1)));
    }),
  );
});

test('plane count follows from the patterns', () => {
  expect([1, 2, 4].map((bits) => planeCount(unitCodes(bits)))).toEqual([1, 2, 4]);
  expect(planeCount(plainCodes(Float32Array.of(0.5)))).toBe(1);
});
