import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lookUpPixels, pixelTables } from './pixel-tables.ts';

const channels = fc.integer({ min: 1, max: 4 });
const each = (values: fc.Arbitrary<number>, length: number) =>
  fc.array(values, { minLength: length, maxLength: length });

test('a look-up gives the bits of (v/255 - mean)/std for every byte and channel', () => {
  fc.assert(
    fc.property(
      channels.chain((c) =>
        fc.tuple(
          each(fc.double({ min: -2, max: 2, noNaN: true }), c),
          each(fc.double({ min: 1e-3, max: 9, noNaN: true }), c),
        ),
      ),
      fc.uint8Array({ minLength: 24, maxLength: 24 }),
      ([mean, std], pixels) => {
        const expected = Array.from(pixels, (v, i) =>
          Math.fround((v / 255 - mean[i % mean.length]!) / std[i % std.length]!),
        );
        expect([...lookUpPixels(pixels, pixelTables(mean, std))]).toEqual(expected);
      },
    ),
  );
});
