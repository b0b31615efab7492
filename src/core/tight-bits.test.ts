import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wordsPerRow } from './bits.ts';
import { loosen, tightBytes, tighten } from './tight-bits.ts';

const shapes = fc.record({ rows: fc.integer({ min: 1, max: 12 }), channels: fc.integer({ min: 1, max: 200 }) });

/** Rows of booleans, packed bit by bit. */
function packed(signs: readonly boolean[][], channels: number): Uint32Array {
  const perRow = wordsPerRow(channels);
  const words = new Uint32Array(signs.length * perRow);
  signs.forEach((row, r) => {
    row.forEach((negative, c) => {
      if (negative) words[r * perRow + (c >> 5)]! |= 1 << (c & 31);
    });
  });
  return words;
}

const rowsOfSigns = shapes.chain(({ rows, channels }) =>
  fc.record({
    channels: fc.constant(channels),
    signs: fc.array(fc.array(fc.boolean(), { minLength: channels, maxLength: channels }), {
      minLength: rows,
      maxLength: rows,
    }),
  }),
);

test('bits lie one after the other, and come back as the words they were', () => {
  fc.assert(
    fc.property(rowsOfSigns, ({ signs, channels }) => {
      const words = packed(signs, channels);
      const tight = tighten(words, signs.length, channels);
      expect(tight.length).toBe(tightBytes(signs.length, channels));
      signs.flat().forEach((negative, i) => {
        expect(((tight[i >> 3]! >> (i & 7)) & 1) === 1).toBe(negative);
      });
      expect(loosen(tight, signs.length, channels)).toEqual(words);
    }),
  );
});

test('bits beyond the last sign of a file never reach the padding of the words', () => {
  expect(loosen(Uint8Array.of(0xff, 0xff), 3, 3)).toEqual(Uint32Array.of(7, 0, 7, 0, 7, 0));
});
