import fc from 'fast-check';
import { expect, test } from 'vitest';
import { referenceKernels as kernels } from '../backend/reference/index.ts';
import { wordsFor } from '../core/bits.ts';
import { poolGeometry } from '../core/conv-geometry.ts';
import { Random } from '../core/random.ts';
import { channelMask, poolSigns } from './sign-pool.ts';

test('pooling the signs of an affine map gives the signs of the map of the pooled values', () => {
  fc.assert(
    fc.property(
      fc.record({
        batch: fc.integer({ min: 1, max: 3 }),
        height: fc.integer({ min: 3, max: 9 }),
        width: fc.integer({ min: 3, max: 9 }),
        channels: fc.constantFrom(1, 31, 33, 70),
        window: fc.integer({ min: 1, max: 3 }),
        stride: fc.integer({ min: 1, max: 3 }),
        pad: fc.integer({ min: 0, max: 1 }),
        seed: fc.integer(),
      }),
      ({ batch, height, width, channels, window, stride, pad, seed }) => {
        fc.pre(2 * pad <= window);
        const random = new Random(seed);
        const g = poolGeometry('test', [batch, height, width, channels], window, stride, pad);
        const [pixels, outPixels] = [batch * height * width, batch * g.outHeight * g.outWidth];
        // few distinct values: ties, and zeros of either sign
        const x = Float32Array.from({ length: pixels * channels }, () => random.integer(7) - 3);
        const scale = Float32Array.from({ length: channels }, () => random.integer(5) - 2);
        const shift = Float32Array.from({ length: channels }, () => random.integer(5) - 2);

        const pooled = new Float32Array(outPixels * channels);
        kernels.maxPool(x, pooled, new Int32Array(pooled.length), g);
        const expected = new Uint32Array(wordsFor(outPixels, channels));
        kernels.packAffineSigns(pooled, scale, shift, expected, outPixels, channels);

        const signs = new Uint32Array(wordsFor(pixels, channels));
        kernels.packAffineSigns(x, scale, shift, signs, pixels, channels);
        const ours = new Uint32Array(expected.length);
        poolSigns(signs, channelMask(Int32Array.from(scale, (s) => Number(s < 0))), ours, g);
        expect(ours).toEqual(expected);
      },
    ),
    { numRuns: 100 },
  );
});
