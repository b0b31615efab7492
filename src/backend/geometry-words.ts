import { type BlockCopy, checkBlockCopy } from '../core/block-copy.ts';
import { type ConvGeometry, checkConvGeometry, checkPoolGeometry, type PoolGeometry } from '../core/conv-geometry.ts';

/** Words of a geometry in their order, which the C++ and AssemblyScript readers are generated from (`kernel-lists.testing.ts`). */
export const convFields = [
  'batch',
  'height',
  'width',
  'inChannels',
  'kernelHeight',
  'kernelWidth',
  'outChannels',
  'stride',
  'pad',
  'dilation',
  'groups',
  'outHeight',
  'outWidth',
] as const satisfies readonly (keyof ConvGeometry)[];

export const poolFields = [
  'batch',
  'height',
  'width',
  'channels',
  'window',
  'stride',
  'pad',
  'outHeight',
  'outWidth',
] as const satisfies readonly (keyof PoolGeometry)[];

function wordsOf<G extends ConvGeometry | PoolGeometry>(g: G, fields: readonly (keyof G)[]): Int32Array {
  const words = new Int32Array(fields.length);
  for (let i = 0; i < fields.length; i++) words[i] = g[fields[i]!] as number;
  // a stride beyond the image is never taken
  words[fields.indexOf('stride')] = Math.min(g.stride, Math.max(g.height, g.width) + 2 * g.pad);
  return words;
}

/** A geometry that changed after it was written down would be computed as it was: nobody can change it any more. */
function frozen(value: object): void {
  Object.freeze(value);
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
}

/** Layers keep their geometries: each is checked and written down once. */
function once<G extends object>(make: (g: G) => Int32Array): (g: G) => Int32Array {
  const known = new WeakMap<G, Int32Array>();
  return (g) => {
    const found = known.get(g);
    if (found) return found;
    const words = make(g);
    frozen(g);
    known.set(g, words);
    return words;
  };
}

/** The words that compiled backends read. @throws ShapeError when sizes do not fit together */
export const convWords = once((g: ConvGeometry): Int32Array => {
  checkConvGeometry('convolution', g);
  return wordsOf(g, convFields);
});

export const poolWords = once((g: PoolGeometry): Int32Array => {
  checkPoolGeometry('pooling', g);
  return wordsOf(g, poolFields);
});

export const copyWords = once((g: BlockCopy): Int32Array => {
  checkBlockCopy('copy', g);
  const { counts, length, from, to } = g;
  return Int32Array.of(...counts, length, from.offset, ...from.steps, to.offset, ...to.steps);
});

/** Where each word lies. */
export const placesOf = <F extends string>(fields: readonly F[]): Record<F, number> =>
  Object.fromEntries(fields.map((field, i) => [field, i])) as Record<F, number>;
