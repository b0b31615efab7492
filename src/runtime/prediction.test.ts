import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argmax } from '../core/argmax.ts';
import { bestClasses, probabilities, ranked } from './prediction.ts';

const rows = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 12 });

test('classes are ranked by their logits, of equals the first comes first, and the best is what accuracy counts', () => {
  fc.assert(
    fc.property(rows, (values) => {
      const logits = Float32Array.from(values);
      const order = ranked(logits);
      expect(order.toSorted((a, b) => a - b)).toEqual(values.map((_, i) => i));
      for (const [rank, c] of order.slice(1).entries()) {
        const before = order[rank]!;
        expect(logits[before]! > logits[c]! || (logits[before] === logits[c] && before < c)).toBe(true);
      }
      expect(order[0]).toBe(argmax(logits));
    }),
  );
});

test('the best few are the first of all, whatever number of them is asked for', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 0, max: 14 }), (values, top) => {
      const logits = Float32Array.from(values.flatMap((value) => [value, value]));
      expect(ranked(logits, top)).toEqual(ranked(logits).slice(0, top));
    }),
  );
});

test('logits whose probabilities are one number are still told apart', () => {
  const logits = Float32Array.of(1e-29, 4e-11);
  const [a, b] = probabilities(Float32Array.of(0, 1e-29));
  expect(a).toBe(b);
  expect(bestClasses(logits, ['first', 'second'], 1)).toMatchObject([[{ label: 'second', index: 1 }]]);
  expect(bestClasses(Float32Array.of(-2000, -1000, 0), ['a', 'b', 'c'], 3)[0]!.map(({ label }) => label)).toEqual([
    'c',
    'b',
    'a',
  ]);
});
