import { describe, expect, test } from 'vitest';
import type { ConvGeometry, PoolGeometry } from '../core/conv-geometry.ts';
import { compiledBackends } from './kernels.testing.ts';
import type { Kernels } from './kernels.ts';
import { nativeAddon, nativeKernels } from './native/binding.ts';
import { plainBatchNormBackward } from './plain-batch-norm.ts';
import { runProcess } from './process.testing.ts';
import { referenceKernels } from './reference/index.ts';

const conv: ConvGeometry = {
  batch: 2,
  height: 5,
  width: 4,
  inChannels: 6,
  kernelHeight: 3,
  kernelWidth: 3,
  outChannels: 4,
  stride: 1,
  pad: 1,
  dilation: 1,
  groups: 2,
  outHeight: 5,
  outWidth: 4,
};
const pool: PoolGeometry = {
  batch: 2,
  height: 4,
  width: 4,
  channels: 3,
  window: 2,
  stride: 2,
  pad: 0,
  outHeight: 2,
  outWidth: 2,
};
const floats = (length: number) => new Float32Array(length).fill(1);
const none = new Float32Array(0);
const noBits = new Uint32Array(0);
const filterWords = 4 * 9 * 2;

const all: [string, () => Kernels][] = [...compiledBackends(), ['reference', () => referenceKernels]];

describe.each(all)('an empty batch, %s', (_name, make) => {
  const kernels = make();
  const empty = { ...conv, batch: 0 };
  const emptyPool = { ...pool, batch: 0 };

  test('gives an empty result', () => {
    const filter = floats(9 * 3 * 4);
    const bits = new Uint32Array(filterWords);
    const prepared = new Uint32Array(kernels.preparedFilterWords(empty));
    kernels.prepareXnorFilter(bits, prepared, empty);
    const integers = new Int32Array(0);
    kernels.conv2d(none, filter, none, empty);
    kernels.conv2dBackwardInput(none, filter, none, empty);
    kernels.conv2dSigns(none, bits, floats(4), none, empty);
    kernels.conv2dBackwardInputSigns(none, bits, floats(4), none, empty);
    kernels.xnorConv2d(noBits, prepared, integers, empty, 'zero');
    kernels.xnorConv2dScaled(noBits, prepared, floats(4), floats(4), floats(4), none, empty, 'zero');
    kernels.xnorConv2dThreshold(noBits, prepared, new Int32Array(4), new Int32Array(4), noBits, empty, 'one');
    kernels.xnorGemm(noBits, bits, integers, 0, 4, 100);
    kernels.sgemm(false, false, 0, 3, 4, none, floats(12), false, none);
    kernels.maxPool(none, none, integers, emptyPool);
    kernels.maxPoolBackward(none, integers, none, emptyPool);
    kernels.avgPool(none, none, emptyPool);
    kernels.avgPoolBackward(none, none, emptyPool);
    kernels.packSigns(none, noBits, 0, 7);
    kernels.unpackSigns(noBits, none, 0, 7);
    kernels.channelAffine(none, floats(3), floats(3), none, 0, 1, none, 0, 3);
    kernels.rowAbsMeans(none, none, 0, 3);
    kernels.prelu(none, floats(3), none, 0, 3);
    const copy = { offset: 0, steps: [1, 1, 1] } as const;
    kernels.copyBlocks(none, none, { counts: [0, 2, 2], length: 3, from: copy, to: copy });
  });

  test.each([1, 2])('gives gradients of 0 (%s groups)', (groups) => {
    const expected = new Float32Array((9 * 6 * 4) / groups);
    const gradient = floats(expected.length);
    kernels.conv2dBackwardFilter(none, none, gradient, { ...empty, groups });
    expect(gradient).toEqual(expected);
    kernels.conv2dBackwardFilterSigns(noBits, none, gradient.fill(1), { ...empty, groups }, 'one');
    expect(gradient).toEqual(expected);
    const product = { ...empty, groups: 1, kernelHeight: 1, kernelWidth: 1, pad: 0 };
    const dense = floats(24);
    kernels.conv2dBackwardFilterSigns(noBits, none, dense, product, 'zero');
    expect(dense).toEqual(new Float32Array(24));
  });

  test('sums to 0', () => {
    const [a, b, c] = [floats(3), floats(3), floats(3)];
    kernels.channelMoments(none, a, b, 0, 3);
    expect([...a, ...b]).toEqual([0, 0, 0, 0, 0, 0]);
    kernels.columnSums(none, c, 0, 3);
    expect([...c]).toEqual([0, 0, 0]);
    plainBatchNormBackward(kernels, none, none, floats(3), floats(3), floats(3), none, a.fill(1), b.fill(1), 0);
    expect([...a, ...b]).toEqual([0, 0, 0, 0, 0, 0]);
    kernels.preluBackward(none, floats(3), none, none, c.fill(1), 0, 3);
    expect([...c]).toEqual([0, 0, 0]);
    const product = floats(6);
    kernels.sgemm(true, false, 2, 3, 0, none, none, false, product);
    expect(product).toEqual(new Float32Array(6));
  });
});

describe.each(compiledBackends())('%s refuses', (_name, make) => {
  const kernels = make();
  const big = floats(10_000);

  test.each<[string, Partial<ConvGeometry>]>([
    ['an output that does not follow from the input', { outHeight: 1000 }],
    ['a pad that is not below the kernel', { pad: 3, outHeight: 9, outWidth: 8 }],
    ['a negative pad', { pad: -1, outHeight: 1, outWidth: 0 }],
    ['groups that do not divide', { groups: 4 }],
    ['no channels', { inChannels: 0 }],
    ['a negative batch', { batch: -1 }],
    ['half a stride', { stride: 0.5 }],
    ['a product that overflows', { batch: 2 ** 30, inChannels: 2 ** 20, outChannels: 2 ** 20 }],
  ])('a convolution with %s', (_what, change) => {
    const wrong = { ...conv, ...change };
    expect(() => kernels.conv2d(big, big, big, wrong)).toThrow(/convolution:/);
    expect(() =>
      kernels.xnorConv2d(new Uint32Array(10_000), new Uint32Array(10_000), new Int32Array(10_000), wrong, 'one'),
    ).toThrow();
  });

  test.each<[string, Partial<PoolGeometry>]>([
    ['an output beyond the image', { outHeight: 4 }],
    ['no window', { window: 0 }],
    ['a pad that is not below the window', { pad: 2, outHeight: 4, outWidth: 4 }],
  ])('a pooling with %s', (_what, change) => {
    expect(() => kernels.avgPool(big, big, { ...pool, ...change })).toThrow(/pooling:/);
  });

  test('counts that are negative or broken', () => {
    const words = new Uint32Array(100);
    for (const [rows, channels] of [
      [-1, 0],
      [-1, 5],
      [3, 0],
      [1.5, 2],
      [Number.NaN, 2],
      [2 ** 32 + 1, 2],
    ] as const)
      expect(() => kernels.packSigns(big, words, rows, channels)).toThrow(/packSigns:/);
  });

  test('arrays of another kind', () => {
    expect(() =>
      kernels.packSigns(new Float64Array(64) as unknown as Float32Array, new Uint32Array(2), 1, 64),
    ).toThrow();
    expect(() =>
      kernels.packSigns(new Float32Array(64), new Float32Array(2) as unknown as Uint32Array, 1, 64),
    ).toThrow();
  });

  test('a filter prepared by other kernels, or for another convolution', () => {
    const [x, out] = [new Uint32Array(2 * 5 * 4 * 2), new Int32Array(2 * 5 * 4 * 4)];
    for (const [, other] of all) {
      const owner = other();
      if (owner.detail === kernels.detail) continue;
      const length = Math.max(owner.preparedFilterWords(conv), kernels.preparedFilterWords(conv));
      const foreign = new Uint32Array(length);
      owner.prepareXnorFilter(new Uint32Array(filterWords), foreign, conv);
      expect(() => kernels.xnorConv2d(x, foreign, out, conv, 'one'), owner.detail).toThrow(/was not prepared by/);
    }
    const prepared = new Uint32Array(kernels.preparedFilterWords(conv));
    kernels.prepareXnorFilter(new Uint32Array(filterWords), prepared, conv);
    kernels.xnorConv2d(x, prepared, out, conv, 'one');
    const turned = { ...conv, inChannels: 4, outChannels: 6 };
    expect(() => kernels.xnorConv2d(x, prepared, out, turned, 'one')).toThrow(/was not prepared by/);
  });
});

const addon = nativeAddon();
const native = !(addon instanceof Error);

test.skipIf(!native)('every native kernels value keeps its instruction set, whatever others are made', () => {
  const sets = (addon as Exclude<typeof addon, Error>).instructionSets();
  const made = sets.map((set) => nativeKernels(set)!);
  for (const kernels of made) {
    const prepared = new Uint32Array(kernels.preparedFilterWords(conv));
    kernels.prepareXnorFilter(
      Uint32Array.from({ length: filterWords }, (_, i) => (i % 2 ? 0 : i % 7)),
      prepared,
      conv,
    );
    const [x, out, expected] = [
      Uint32Array.from({ length: 80 }, (_, i) => (i % 2 ? 0 : i % 61)),
      new Int32Array(160),
      new Int32Array(160),
    ];
    nativeKernels(sets[0]);
    kernels.xnorConv2d(x, prepared, out, conv, 'zero');
    const plain = new Uint32Array(referenceKernels.preparedFilterWords(conv));
    referenceKernels.prepareXnorFilter(
      Uint32Array.from({ length: filterWords }, (_, i) => (i % 2 ? 0 : i % 7)),
      plain,
      conv,
    );
    referenceKernels.xnorConv2d(x, plain, expected, conv, 'zero');
    expect(out).toEqual(expected);
  }
});

test.skipIf(!native || process.platform !== 'linux')(
  'memory that a thread of the pool cannot have is an error of the call, and the pool goes on',
  async () => {
    const program = new URL('./out-of-memory.testing.ts', import.meta.url);
    const { end, output, errors } = await runProcess(program, [], { SIGNUM_THREADS: '2' });
    // 1024 products of 2 by 3 are inside
    expect({ end, errors, lines: output.trim().split('\n') }).toEqual({
      end: 0,
      errors: '',
      lines: Array(3).fill(['conv2d: out of memory', '6144']).flat(),
    });
  },
);
