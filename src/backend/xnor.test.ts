import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsFor } from '../core/bits.ts';
import { Random } from '../core/random.ts';
import { compiledBackends, convGeometries, randomFloats, randomSignWords, relativeError } from './kernels.testing.ts';
import type { BinaryPadding } from './kernels.ts';
import { referenceKernels as reference } from './reference/index.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const paddings = fc.constantFrom<BinaryPadding>('zero', 'one');

test('the reference counts a border tap as nothing (zero) or as +1 (one)', () => {
  // one pixel, value -1, under a 3x3 filter of -1: only the centre tap is inside
  const g = { batch: 1, height: 1, width: 1, inChannels: 1, kernelHeight: 3, kernelWidth: 3, outChannels: 1 };
  const geometry = { ...g, stride: 1, pad: 1, dilation: 1, groups: 1, outHeight: 1, outWidth: 1 };
  const filter = new Uint32Array(reference.preparedFilterWords(geometry));
  const signs = new Uint32Array(18).map((_, i) => (i % 2 === 0 ? 1 : 0));
  reference.prepareXnorFilter(signs, filter, geometry);
  const out = new Int32Array(1);
  reference.xnorConv2d(Uint32Array.of(1, 0), filter, out, geometry, 'zero');
  expect(out[0]).toBe(1);
  reference.xnorConv2d(Uint32Array.of(1, 0), filter, out, geometry, 'one');
  expect(out[0]).toBe(1 - 8);
});

describe.each(compiledBackends())('%s', (_name, make) => {
  test('packs signs as the reference does, and back', () => {
    const kernels = make();
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 140 }), (seed, rows, channels) => {
        const random = new Random(seed);
        const x = randomFloats(random, rows * channels).map((v) => (v > 1 ? 0 : v < -1.5 ? -0 : v));
        const [scale, shift] = [randomFloats(random, channels), randomFloats(random, channels)];
        const [ours, theirs] = [wordsFor(rows, channels), wordsFor(rows, channels)].map((n) =>
          new Uint32Array(n).fill(7),
        );
        for (const pack of ['packSigns', 'packAffineSigns', 'packWithin'] as const) {
          for (const [backend, words] of [
            [kernels, ours!],
            [reference, theirs!],
          ] as const) {
            if (pack === 'packSigns') backend.packSigns(x, words, rows, channels);
            else if (pack === 'packWithin') backend.packWithin(x, -0.7, 0.4, words, rows, channels);
            else backend.packAffineSigns(x, scale, shift, words, rows, channels);
          }
          expect(ours).toEqual(theirs);
        }
        const [a, b] = [new Float32Array(x.length), new Float32Array(x.length)];
        kernels.unpackSigns(ours!, a, rows, channels);
        reference.unpackSigns(ours!, b, rows, channels);
        expect(a).toEqual(b);
        kernels.maskBits(x, ours!, a, rows, channels);
        reference.maskBits(x, ours!, b, rows, channels);
        expect(a).toEqual(b);
      }),
    );
  });

  test('xnorGemm equals the reference bit for bit', () => {
    const kernels = make();
    const sizes = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(seeds, sizes, sizes, fc.integer({ min: 1, max: 700 }), (seed, m, n, k) => {
        const random = new Random(seed);
        const [a, b] = [randomSignWords(random, reference, m, k), randomSignWords(random, reference, n, k)];
        const [ours, theirs] = [new Int32Array(m * n), new Int32Array(m * n)];
        kernels.xnorGemm(a, b, ours, m, n, k);
        reference.xnorGemm(a, b, theirs, m, n, k);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 40 },
    );
  });

  test('binary convolutions equal the reference bit for bit, in every output form', () => {
    const kernels = make();
    fc.assert(
      fc.property(convGeometries(), paddings, seeds, (g, padding, seed) => {
        const random = new Random(seed);
        const taps = g.kernelHeight * g.kernelWidth;
        const x = randomSignWords(random, reference, g.batch * g.height * g.width, g.inChannels);
        const w = randomFloats(random, (taps * g.inChannels * g.outChannels) / g.groups);
        const filterWords = wordsFor(taps * g.outChannels, g.inChannels / g.groups);
        const filters = [kernels, reference].map((backend) => {
          const words = new Uint32Array(filterWords);
          backend.packFilterSigns(w, words, taps, g.inChannels / g.groups, g.outChannels);
          return words;
        });
        expect(filters[0]).toEqual(filters[1]);
        const [prepared, canonical] = [kernels, reference].map((b, i) => {
          const laidOut = new Uint32Array(b.preparedFilterWords(g));
          b.prepareXnorFilter(filters[i]!, laidOut, g);
          return laidOut;
        });
        const pixels = g.batch * g.outHeight * g.outWidth;
        const size = pixels * g.outChannels;

        const [dots, expectedDots] = [new Int32Array(size), new Int32Array(size)];
        kernels.xnorConv2d(x, prepared!, dots, g, padding);
        reference.xnorConv2d(x, canonical!, expectedDots, g, padding);
        expect(dots).toEqual(expectedDots);

        const [alpha, scale, shift] = [0, 1, 2].map(() => randomFloats(random, g.outChannels));
        for (const [a, b] of [
          [scale!, shift!],
          [new Float32Array(0), new Float32Array(0)],
        ] as const) {
          const [y, expectedY] = [new Float32Array(size), new Float32Array(size)];
          kernels.xnorConv2dScaled(x, prepared!, alpha!, a, b, y, g, padding);
          reference.xnorConv2dScaled(x, canonical!, alpha!, a, b, expectedY, g, padding);
          expect(y).toEqual(expectedY);
        }

        const threshold = Int32Array.from({ length: g.outChannels }, () => random.integer(21) - 10);
        const flip = Int32Array.from({ length: g.outChannels }, () => random.integer(2));
        const [bits, expectedBits] = [0, 1].map(() => new Uint32Array(wordsFor(pixels, g.outChannels)).fill(3));
        kernels.xnorConv2dThreshold(x, prepared!, threshold, flip, bits!, g, padding);
        reference.xnorConv2dThreshold(x, canonical!, threshold, flip, expectedBits!, g, padding);
        expect(bits).toEqual(expectedBits);

        const dy = randomFloats(random, size);
        const [dw, expectedDw] = [new Float32Array(w.length), new Float32Array(w.length)];
        kernels.conv2dBackwardFilterSigns(x, dy, dw, g, padding);
        reference.conv2dBackwardFilterSigns(x, dy, expectedDw, g, padding);
        expect(relativeError(dw, expectedDw, Math.sqrt(pixels))).toBeLessThan(1e-4);
      }),
      { numRuns: 60 },
    );
  });
});
