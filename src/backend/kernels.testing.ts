import fc from 'fast-check';
import { wordsFor } from '../core/bits.ts';
import { type ConvGeometry, convGeometry } from '../core/conv-geometry.ts';
import type { Random } from '../core/random.ts';
import type { Kernels } from './kernels.ts';
import { nativeAddon, nativeKernels } from './native/binding.ts';
import { wasmBuilds } from './wasm/load.ts';

/** Every compiled implementation that can run on this machine, one per instruction set or build; the native ones with two threads. */
export function compiledBackends(): [string, () => Kernels][] {
  const addon = nativeAddon();
  if (!(addon instanceof Error)) addon.threads(2);
  const native = addon instanceof Error ? [] : addon.instructionSets();
  return [
    ...native.map((set): [string, () => Kernels] => [`native ${set}`, () => nativeKernels(set)!]),
    ...wasmBuilds().map((build): [string, () => Kernels] => [`wasm ${build.name}`, build.kernels]),
  ];
}

export function randomFloats(random: Random, length: number): Float32Array {
  const values = new Float32Array(length);
  random.fillNormal(values, 0, 1);
  return values;
}

/** Random words whose unused high bits are 0, as every packer leaves them. */
export function randomSignWords(random: Random, kernels: Kernels, rows: number, channels: number): Uint32Array {
  const words = new Uint32Array(wordsFor(rows, channels));
  kernels.packSigns(randomFloats(random, rows * channels), words, rows, channels);
  return words;
}

/**
 * Largest difference relative to the largest magnitude of the expected values.
 *
 * @param typical least magnitude to be relative to. A sum of n products of standard normal values is about √n large and its rounding errors
 *   are in proportion to that, even where the sum itself happens to be near 0
 */
export function relativeError(actual: Float32Array, expected: Float32Array, typical = 1e-3): number {
  let scale = typical;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  return worst / scale;
}

/** Small convolutions of every kind, up to `widest` pixels wide: odd sizes, stride 1-2, dilation 1-2, groups, channels around multiples of 32 and 64. */
export function convGeometries(widest = 9): fc.Arbitrary<ConvGeometry> {
  return fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: widest }),
      groups: fc.constantFrom(1, 1, 1, 2, 3),
      groupIn: fc.constantFrom(1, 3, 5, 16, 31, 33, 64, 70),
      groupOut: fc.constantFrom(1, 2, 8, 15, 32, 33, 65),
      kernelHeight: fc.integer({ min: 1, max: 3 }),
      kernelWidth: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      pad: fc.integer({ min: 0, max: 2 }),
    })
    .filter(
      (s) =>
        s.pad <= s.dilation * (Math.max(s.kernelHeight, s.kernelWidth) - 1) &&
        s.height + 2 * s.pad > s.dilation * (s.kernelHeight - 1) &&
        s.width + 2 * s.pad > s.dilation * (s.kernelWidth - 1),
    )
    .map((s) =>
      convGeometry(
        'test',
        [s.batch, s.height, s.width, s.groupIn * s.groups],
        [s.kernelHeight, s.kernelWidth, s.groupIn, s.groupOut * s.groups],
        { stride: s.stride, dilation: s.dilation, pad: s.pad, groups: s.groups },
      ),
    );
}
