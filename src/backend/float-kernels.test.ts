import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsFor } from '../core/bits.ts';
import type { BlockCopy, Runs } from '../core/block-copy.ts';
import { convGeometry, poolGeometry } from '../core/conv-geometry.ts';
import { Random } from '../core/random.ts';
import { compiledBackends, convGeometries, randomFloats, relativeError } from './kernels.testing.ts';
import { type Kernels, unaryOps } from './kernels.ts';
import { referenceKernels as reference } from './reference/index.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const tolerance = 1e-4;

/**
 * Runs the same call on both backends over fresh outputs and compares every output.
 *
 * @param precision `exact` for bit for bit; for sums, how many values are added, output by output
 */
function agree(
  kernels: Kernels,
  sizes: number[],
  call: (backend: Kernels, outputs: Float32Array[]) => void,
  precision: 'exact' | readonly number[] = [],
): void {
  const [ours, theirs] = [kernels, reference].map((backend) => {
    const outputs = sizes.map((size) => new Float32Array(size).fill(0.5));
    call(backend, outputs);
    return outputs;
  });
  for (const [i, output] of ours!.entries()) {
    if (precision === 'exact') expect(output).toEqual(theirs![i]);
    else expect(relativeError(output, theirs![i]!, Math.sqrt(precision[i] ?? 1e-6))).toBeLessThan(tolerance);
  }
}

/** How many values an array must have for its side of a copy. */
function extentOf({ counts, length }: BlockCopy, { offset, steps }: Runs): number {
  return counts.reduce((end, count, i) => end + (count - 1) * steps[i]!, offset + length);
}

describe.each(compiledBackends())('%s', (_name, make) => {
  test('sgemm, all transposes, overwriting and accumulating', () => {
    const kernels = make();
    const size = fc.integer({ min: 1, max: 70 });
    const deep = fc.oneof(size, fc.integer({ min: 380, max: 800 }));
    fc.assert(
      fc.property(
        size,
        size,
        deep,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        seeds,
        (m, n, k, ta, tb, accumulate, seed) => {
          const random = new Random(seed);
          const [a, b] = [randomFloats(random, m * k), randomFloats(random, k * n)];
          agree(kernels, [m * n], (backend, [c]) => backend.sgemm(ta, tb, m, n, k, a, b, accumulate, c!), [k]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('float convolutions: forward, gradient of input, gradient of filter', () => {
    const kernels = make();
    fc.assert(
      fc.property(convGeometries(), seeds, (g, seed) => {
        const random = new Random(seed);
        const x = randomFloats(random, g.batch * g.height * g.width * g.inChannels);
        const w = randomFloats(random, (g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels) / g.groups);
        const dy = randomFloats(random, g.batch * g.outHeight * g.outWidth * g.outChannels);
        const taps = g.kernelHeight * g.kernelWidth;
        const pixels = dy.length / g.outChannels;
        agree(kernels, [dy.length], (backend, [y]) => backend.conv2d(x, w, y!, g), [(taps * g.inChannels) / g.groups]);
        agree(kernels, [x.length], (backend, [dx]) => backend.conv2dBackwardInput(dy, w, dx!, g), [
          (taps * g.outChannels) / g.groups,
        ]);
        agree(kernels, [w.length], (backend, [dw]) => backend.conv2dBackwardFilter(x, dy, dw!, g), [pixels]);
      }),
      { numRuns: 60 },
    );
  });

  test('convolutions with signs: of floats by sign filters, their input gradient, the filter gradient of sign inputs', () => {
    const kernels = make();
    fc.assert(
      fc.property(convGeometries(21), fc.constantFrom('zero' as const, 'one' as const), seeds, (g, padding, seed) => {
        const random = new Random(seed);
        const [taps, inputs] = [g.kernelHeight * g.kernelWidth, g.inChannels / g.groups];
        const x = randomFloats(random, g.batch * g.height * g.width * g.inChannels);
        const dy = randomFloats(random, g.batch * g.outHeight * g.outWidth * g.outChannels);
        const filter = new Uint32Array(wordsFor(taps * g.outChannels, inputs));
        reference.packFilterSigns(
          randomFloats(random, taps * inputs * g.outChannels),
          filter,
          taps,
          inputs,
          g.outChannels,
        );
        const alpha = randomFloats(random, g.outChannels);
        agree(kernels, [dy.length], (backend, [y]) => backend.conv2dSigns(x, filter, alpha, y!, g), [taps * inputs]);
        agree(kernels, [x.length], (backend, [dx]) => backend.conv2dBackwardInputSigns(dy, filter, alpha, dx!, g), [
          (taps * g.outChannels) / g.groups,
        ]);
        const signs = new Uint32Array(wordsFor(g.batch * g.height * g.width, g.inChannels));
        reference.packSigns(x, signs, g.batch * g.height * g.width, g.inChannels);
        agree(
          kernels,
          [taps * inputs * g.outChannels],
          (backend, [dw]) => backend.conv2dBackwardFilterSigns(signs, dy, dw!, g, padding),
          [dy.length / g.outChannels],
        );
      }),
      { numRuns: 100 },
    );
  });

  test('convolutions of floats by sign filters give one image the same bits as many', () => {
    const kernels = make();
    const random = new Random(7);
    for (const [size, channels] of [
      [4, 96],
      [7, 130],
      [8, 64],
      [16, 70],
      [24, 40],
    ] as const) {
      const geometry = (batch: number) =>
        convGeometry('test', [batch, size, size, channels], [3, 3, channels, 10], { pad: 1 });
      const image = size * size * channels;
      const x = randomFloats(random, 5 * image);
      const filter = new Uint32Array(wordsFor(9 * 10, channels));
      kernels.packFilterSigns(randomFloats(random, 9 * channels * 10), filter, 9, channels, 10);
      const alpha = randomFloats(random, 10);
      const many = new Float32Array(5 * size * size * 10);
      const one = new Float32Array(size * size * 10);
      kernels.conv2dSigns(x, filter, alpha, many, geometry(5));
      for (let n = 0; n < 5; n++) {
        kernels.conv2dSigns(x.slice(n * image, (n + 1) * image), filter, alpha, one, geometry(1));
        expect(one).toEqual(many.slice(n * one.length, (n + 1) * one.length));
      }
    }
  });

  test('channel and row reductions, affine, batch-norm', () => {
    const kernels = make();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 70 }), seeds, (rows, channels, seed) => {
        const random = new Random(seed);
        const n = rows * channels;
        const [x, dy] = [randomFloats(random, n).map((v) => v + 3), randomFloats(random, n)];
        const [scale, shift] = [0, 1].map(() => randomFloats(random, channels));
        const factor = randomFloats(random, rows);
        agree(kernels, [channels, channels], (b, [m, v]) => b.channelMoments(x, m!, v!, rows, channels), 'exact');
        for (const residual of [dy, new Float32Array(0)]) {
          agree(
            kernels,
            [n],
            (b, [y]) => b.channelAffine(x, scale!, shift!, residual, -1, 2, y!, rows, channels),
            'exact',
          );
        }
        agree(kernels, [channels], (b, [out]) => b.columnSums(x, out!, rows, channels), 'exact');
        agree(kernels, [channels], (b, [out]) => b.columnAbsSums(dy, out!, rows, channels), 'exact');
        agree(kernels, [channels], (b, [out]) => b.columnDots(x, dy, out!, rows, channels), 'exact');
        agree(kernels, [rows], (b, [out]) => b.rowAbsMeans(dy, out!, rows, channels), 'exact');
        agree(kernels, [rows], (b, [out]) => b.rowDots(x, dy, out!, rows, channels), 'exact');
        agree(kernels, [n], (b, [y]) => b.rowScale(x, factor, y!, rows, channels), 'exact');
        agree(kernels, [n], (b, [y]) => b.prelu(dy, scale!, y!, rows, channels), 'exact');
        agree(
          kernels,
          [n, channels],
          (b, [dx, ds]) => b.preluBackward(dy, scale!, x, dx!, ds!, rows, channels),
          'exact',
        );
      }),
      { numRuns: 40 },
    );
  });

  test('batch-norm backward: direct and sloped gradients, behind a clamp or none, in place and apart', () => {
    const kernels = make();
    const none = new Float32Array(0);
    const terms = fc.constantFrom('direct', 'sloped', 'both');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 70 }),
        terms,
        fc.constantFrom(...unaryOps),
        fc.constantFrom<[number, number]>([-1, 1], [0, Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY, 1e39]),
        fc.boolean(),
        seeds,
        (rows, channels, arriving, slope, [low, high], inPlace, seed) => {
          const random = new Random(seed);
          const n = rows * channels;
          const [x, y] = [randomFloats(random, n).map((v) => v + 3), randomFloats(random, n)];
          y.forEach((v, i) => {
            y[i] = Math.min(high, Math.max(low, v));
          });
          const [first, second] = [randomFloats(random, n), randomFloats(random, n)];
          const [gamma, mean] = [randomFloats(random, channels), randomFloats(random, channels)];
          const invStd = randomFloats(random, channels).map((v) => Math.abs(v) + 0.5);
          agree(
            kernels,
            [n, n, channels, channels],
            (b, [g, dx, dgamma, dbeta]) => {
              if (inPlace) {
                g!.set(first);
                dx!.set(second);
              }
              const direct = arriving === 'sloped' ? none : inPlace ? g! : first;
              const sloped = arriving === 'direct' ? none : inPlace ? dx! : second;
              const given = [x, y, direct, sloped, slope, 0.75, 2, low, high, mean, invStd, gamma] as const;
              b.batchNormBackward(...given, g!, dx!, dgamma!, dbeta!, rows, channels);
            },
            'exact',
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  test('pooling', () => {
    const kernels = make();
    const side = fc.integer({ min: 3, max: 9 });
    const window = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 40 }),
        window,
        window,
        fc.boolean(),
        seeds,
        (h, w, c, size, stride, padded, seed) => {
          const random = new Random(seed);
          const g = poolGeometry('test', [2, h, w, c], size, stride, padded && size > 1 ? 1 : 0);
          const x = randomFloats(random, 2 * h * w * c);
          const outputs = 2 * g.outHeight * g.outWidth * c;
          const dy = randomFloats(random, outputs);
          const indices = new Int32Array(outputs);
          const expected = new Int32Array(outputs);
          agree(kernels, [outputs], (b, [y]) => b.maxPool(x, y!, b === reference ? expected : indices, g), 'exact');
          expect(indices).toEqual(expected);
          agree(kernels, [x.length], (b, [dx]) => b.maxPoolBackward(dy, expected, dx!, g), 'exact');
          agree(kernels, [outputs], (b, [y]) => b.avgPool(x, y!, g), 'exact');
          agree(kernels, [x.length], (b, [dx]) => b.avgPoolBackward(dy, dx!, g), 'exact');
        },
      ),
      { numRuns: 40 },
    );
  });

  test('copies of runs, anywhere in both arrays', () => {
    const kernels = make();
    const count = fc.integer({ min: 1, max: 5 });
    const gap = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(
        fc.tuple(count, count, count),
        fc.integer({ min: 1, max: 40 }),
        gap,
        gap,
        seeds,
        (counts, length, apart, offset, seed) => {
          const runs = (by: number) => {
            const inner = length + by;
            return { offset, steps: [counts[1] * counts[2] * inner + by, counts[2] * inner, inner] } as const;
          };
          const g: BlockCopy = { counts, length, from: runs(apart), to: runs(offset) };
          const x = randomFloats(new Random(seed), extentOf(g, g.from));
          agree(kernels, [extentOf(g, g.to) + 3], (b, [y]) => b.copyBlocks(x, y!, g), 'exact');
          if (kernels.name !== 'reference')
            expect(() => kernels.copyBlocks(x.subarray(1), new Float32Array(extentOf(g, g.to)), g)).toThrow(
              /copyBlocks/,
            );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('element-wise functions, slopes and updates', () => {
    const kernels = make();
    const p = fc.double({ min: 0.125, max: 8, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), p, p, seeds, (n, p0, p1, seed) => {
        const random = new Random(seed);
        const x = randomFloats(random, n).map((v, i) => (i % 7 === 0 ? v * 40 : i % 5 === 0 ? v * 0.01 : v));
        if (n > 3) x.set([1, -1, 0], 0);
        const [dy, m] = [randomFloats(random, n), randomFloats(random, n)];
        const v = randomFloats(random, n).map(Math.abs);
        for (const op of unaryOps) {
          agree(kernels, [n], (b, [y]) => b.unary(op, x, y!), 'exact');
          agree(kernels, [n], (b, [dx]) => b.unaryBackward(op, x, dy, dx!, p0, p1), 'exact');
        }
        agree(kernels, [n], (b, [dx]) => b.maskWithin(dy, x, -1, 1, dx!), 'exact');
        agree(kernels, [n], (b, [y]) => b.add(x, dy, y!), 'exact');
        agree(kernels, [n], (b, [y]) => b.multiply(x, dy, y!), 'exact');
        agree(kernels, [n], (b, [y]) => b.blend(x, p0, p1, y!), 'exact');
        const updated = (call: (b: Kernels, w: Float32Array, first: Float32Array, second: Float32Array) => void) =>
          agree(
            kernels,
            [n, n, n],
            (b, [w, first, second]) => {
              w!.set(x);
              first!.set(m);
              second!.set(v);
              call(b, w!, first!, second!);
            },
            'exact',
          );
        updated((b, w) => b.clamp(w, -1, 1));
        updated((b, w, velocity) => b.sgdStep(w, dy, velocity, 0.1, 0.9, 0.01, seed % 2 === 0));
        updated((b, w, first, second) => b.adamStep(w, dy, first, second, 0.1, 0.9, 0.99, 1e-8, 0.01, 0.5, 0.25));
        updated((b, w, first, second) => b.adamaxStep(w, dy, first, second, 0.1, 0.9, 0.99, 1e-8, 0.01, 0.5));
        updated((b, w, _, second) => b.rmspropStep(w, dy, second, 0.1, 0.9, 1e-8, 0.01));
      }),
      { numRuns: 60 },
    );
  });
});

test('moments of weights without gradient end at 0, not among the slow denormal numbers', () => {
  for (const [name, make] of compiledBackends()) {
    if (!name.startsWith('native')) continue;
    const tiny = () => new Float32Array(100).fill(1e-39);
    const [w, none] = [new Float32Array(100).fill(2), new Float32Array(100)];
    const [m, v] = [tiny(), tiny()];
    make().adamStep(w, none, m, v, 0.1, 0.9, 0.99, 1e-8, 0, 0.5, 0.25);
    expect([...m, ...v].every((moment) => moment === 0)).toBe(true);
    make().sgdStep(w, none, m.fill(1e-39), 0.1, 0.9, 0, false);
    expect(m.every((moment) => moment === 0)).toBe(true);
    expect(w.every((weight) => weight === 2)).toBe(true);
  }
});

test('a kernel called with arrays that are too small throws instead of touching foreign memory', () => {
  for (const [, make] of compiledBackends()) {
    expect(() => make().add(new Float32Array(3), new Float32Array(8), new Float32Array(8))).toThrow(/add/);
    expect(() => make().packSigns(new Float32Array(3), new Uint32Array(2), 1, 64)).toThrow(/packSigns/);
  }
});
