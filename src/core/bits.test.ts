import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differingBits } from './bits.ts';

test('differing bits are counted as a bit-by-bit comparison counts them', () => {
  const words = fc.uint32Array({ maxLength: 50 });
  fc.assert(
    fc.property(words, fc.infiniteStream(fc.nat(0xffffffff)), (a, others) => {
      const b = a.map(() => others.next().value as number);
      const naive = a.reduce((sum, word, i) => {
        const bits = ((word ^ b[i]!) >>> 0).toString(2);
        return sum + [...bits].filter((bit) => bit === '1').length;
      }, 0);
      expect(differingBits(a, b)).toBe(naive);
    }),
  );
});
