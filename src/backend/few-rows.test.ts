import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { compiledBackends, randomFloats } from './kernels.testing.ts';

// one to four rows are multiplied without packing the other matrix, more by packed panels
const many = 7;
const bytesOf = (array: Float32Array) => new Uint8Array(array.buffer, 0, array.byteLength);

describe.each(compiledBackends())('%s', (_name, make) => {
  test('a product of few rows has the bits of the same rows among many, deep and wide ones and those of no depth too', () => {
    const kernels = make();
    const [width, depth] = [fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 20 })];
    const shape = fc.oneof(
      fc.record({ n: width, k: fc.oneof(depth, fc.constantFrom(255, 256, 257, 383, 384, 385, 800)) }),
      fc.record({ n: fc.constantFrom(1020, 1365, 2049, 4095, 4099), k: depth }),
    );
    fc.assert(
      fc.property(shape, fc.boolean(), fc.boolean(), fc.nat(), ({ n, k }, transposed, accumulate, seed) => {
        const random = new Random(seed);
        const [a, b, before] = [many * k, k * n, many * n].map((size) => randomFloats(random, size)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const product = (rows: number) => {
          const c = before.slice(0, rows * n);
          const own = Float32Array.from({ length: rows * k }, (_, i) =>
            transposed ? a[(i % rows) * k + Math.floor(i / rows)]! : a[i]!,
          );
          kernels.sgemm(transposed, false, rows, n, k, own, b, accumulate, c);
          return c;
        };
        const expected = product(many);
        // toEqual takes longer than all products
        for (let rows = 1; rows <= 5; rows++)
          expect(Buffer.compare(bytesOf(product(rows)), bytesOf(expected.subarray(0, rows * n)))).toBe(0);
      }),
      { numRuns: 10 },
    );
  });
});
