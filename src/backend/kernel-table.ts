import { wordsFor, wordsPerRow } from '../core/bits.ts';
import { type BlockCopy, copiedValues, runsExtent } from '../core/block-copy.ts';
import type { ConvGeometry, PoolGeometry } from '../core/conv-geometry.ts';
import { convFields, placesOf, poolFields } from './geometry-words.ts';
import type { BinaryPadding, Kernels, UnaryOp } from './kernels.ts';

/**
 * What the compiled backends export: the same kernels with every argument a typed array or a number, so that one generic
 * marshaller per backend suffices. Geometries are int32 words, names are indices, booleans 0/1.
 */
type Flatten<A> = A extends Float32Array | Int32Array | Uint32Array | number
  ? A
  : A extends ConvGeometry | PoolGeometry | BlockCopy
    ? Int32Array
    : number;
type FlattenAll<T extends unknown[]> = { [I in keyof T]: Flatten<T[I]> };
export type FlatKernels = {
  [K in Exclude<keyof Kernels, 'name' | 'detail' | 'preparedFilterWords'>]: (
    ...args: FlattenAll<Parameters<Kernels[K]>>
  ) => void;
};

type ArrayKind<Letter extends string> = `${Letter}${'r' | 'w' | 'u'}`;
/** Counts of rows may be 0, other counts not. */
type NumberKind = 'rows' | 'count' | 'float';
type GeometryKind = 'conv' | 'pool' | 'copy';
type KindOf<A> = A extends Float32Array
  ? ArrayKind<'F'>
  : A extends Uint32Array
    ? ArrayKind<'W' | 'P'>
    : A extends Int32Array
      ? ArrayKind<'I'>
      : A extends ConvGeometry
        ? 'conv'
        : A extends PoolGeometry
          ? 'pool'
          : A extends BlockCopy
            ? 'copy'
            : A extends boolean
              ? 'flag'
              : A extends BinaryPadding
                ? 'padding'
                : A extends UnaryOp
                  ? 'op'
                  : NumberKind;
/**
 * What an argument of a kernel is. Arrays have a letter for their type (F float32, W uint32, P uint32 of a prepared filter, I int32) and one for
 * what is done to them: read, written, or both (u).
 */
export type ArgumentKind = ArrayKind<'F' | 'W' | 'P' | 'I'> | GeometryKind | NumberKind | 'flag' | 'padding' | 'op';

/** What crosses to a compiled backend in the place of an argument: arrays, words of geometries, numbers. */
export type FlatKind = ArrayKind<'F' | 'W' | 'I'> | NumberKind | 'flag' | 'name';

const flatKinds = {
  conv: 'Ir',
  pool: 'Ir',
  copy: 'Ir',
  padding: 'flag',
  op: 'name',
  Pr: 'Wr',
  Pw: 'Ww',
  Pu: 'Wu',
} as const;

export const flatKind = (kind: ArgumentKind): FlatKind =>
  kind in flatKinds ? flatKinds[kind as keyof typeof flatKinds] : (kind as FlatKind);

export const isArrayKind = (kind: FlatKind): boolean => kind.length === 2;

type Sizes<A extends unknown[]> = (...args: A) => readonly number[];

/**
 * A kernel's arguments, once for all its implementations: `kinds` says what each is; the C++ table and the enums (`kernel-lists.testing.ts`), the
 * binding of compiled backends and the copying into WebAssembly memory follow. `sizes` gives the elements each array and geometry needs, in
 * order, from the flat arguments. `extra` is appended as a last number, where the WebAssembly function needs a length. `workspace` bounds the
 * bytes that it takes for itself.
 */
export interface KernelRow<K extends unknown[], A extends unknown[]> {
  readonly kinds: { readonly [I in keyof K]: KindOf<K[I]> };
  readonly sizes: Sizes<A>;
  readonly extra?: (...args: A) => number;
  readonly workspace?: (...args: A) => number;
}

type KernelTable = { readonly [K in keyof FlatKernels]: KernelRow<Parameters<Kernels[K]>, Parameters<FlatKernels[K]>> };

interface Extents {
  input: number;
  output: number;
  filter: number;
  inWords: number;
  outWords: number;
  filterWords: number;
  outChannels: number;
}

const convPlaces = placesOf(convFields);
/** The geometry words by name, and what follows from them. */
function fields(g: Int32Array) {
  const word = (field: keyof typeof convPlaces) => g[convPlaces[field]]!;
  const [inChannels, outChannels, groups] = [word('inChannels'), word('outChannels'), word('groups')];
  return {
    batch: word('batch'),
    height: word('height'),
    width: word('width'),
    inChannels,
    outChannels,
    pad: word('pad'),
    groups,
    outHeight: word('outHeight'),
    outWidth: word('outWidth'),
    taps: word('kernelHeight') * word('kernelWidth'),
    groupIn: inChannels / groups,
    groupOut: outChannels / groups,
  };
}

/** Element counts of a convolution. */
function conv(g: Int32Array): Extents {
  const { batch, height, width, inChannels, outChannels, outHeight, outWidth, taps, groupIn } = fields(g);
  const [inPixels, outPixels] = [batch * height * width, batch * outHeight * outWidth];
  return {
    input: inPixels * inChannels,
    output: outPixels * outChannels,
    filter: taps * groupIn * outChannels,
    inWords: wordsFor(inPixels, inChannels),
    outWords: wordsFor(outPixels, outChannels),
    filterWords: wordsFor(outChannels * taps, groupIn),
    outChannels,
  };
}

/** uint32 words of a prepared filter: 32-output panels of nibbles, one byte each, then the sums per tap. */
function prepared(g: Int32Array): number {
  const { outChannels, groups, taps, groupIn, groupOut } = fields(g);
  return groups * Math.ceil(groupOut / 32) * taps * Math.ceil(groupIn / 4) * 8 + taps * outChannels;
}

/** Of kernels/wasm/assembly/gemm.ts: a block of b and a panel of a. */
const gemmWorkspace = (n: number) => 4 * 256 * (n + 8 + 6) + 1024;
/** Of kernels/wasm/assembly/conv.ts: the columns of one image or of several small ones, a filter of floats, a matrix product. */
const floatConvWorkspace = (g: Int32Array) => {
  const { batch, taps, groupIn, outChannels, outHeight, outWidth } = fields(g);
  const [reach, image, blockPixels] = [taps * groupIn, outHeight * outWidth, 512];
  const pixels = Math.max(image, Math.min(batch * image, blockPixels));
  return 4 * (pixels * reach + reach * outChannels) + gemmWorkspace(Math.max(reach, outChannels));
};
/** Of kernels/wasm/assembly/xnor.ts: one padded image of table offsets, a row of dots. */
const xnorWorkspace = (g: Int32Array) => {
  const { height, width, taps, groupIn, outChannels, pad, groups, outWidth } = fields(g);
  const units = Math.ceil(groupIn / 4);
  const [tall, wide] = [height + 2 * pad, width + 2 * pad];
  return 2 * units * (tall * wide * groups + 2 * Math.max(tall, wide)) + 4 * (taps + outWidth * outChannels) + 1024;
};

const geometry = convFields.length;
const poolGeometry = poolFields.length;
const poolPlaces = placesOf(poolFields);
const poolSize = (g: Int32Array, height: 'height' | 'outHeight', width: 'width' | 'outWidth') =>
  g[poolPlaces.batch]! * g[poolPlaces[height]]! * g[poolPlaces[width]]! * g[poolPlaces.channels]!;
const poolInput = (g: Int32Array) => poolSize(g, 'height', 'width');
const poolOutput = (g: Int32Array) => poolSize(g, 'outHeight', 'outWidth');
/** Loops and length of a copy, which its first words say. */
const loopsOf = ([a, b, c, length]: Int32Array) => ({ counts: [a!, b!, c!] as const, length: length! });
/** Elements a copy needs in the array whose runs are described from word `at` on. */
const runsEnd = (g: Int32Array, at: number) =>
  runsExtent(loopsOf(g), { offset: g[at]!, steps: [g[at + 1]!, g[at + 2]!, g[at + 3]!] });

export const kernelTable: KernelTable = {
  sgemm: {
    kinds: ['flag', 'flag', 'rows', 'rows', 'rows', 'Fr', 'Fr', 'flag', 'Fu'],
    sizes: (_ta, _tb, m, n, k) => [m * k, k * n, m * n],
    workspace: (_ta, _tb, _m, n) => gemmWorkspace(n),
  },
  conv2d: {
    kinds: ['Fr', 'Fr', 'Fw', 'conv'],
    sizes: (_x, _f, _y, g) => [conv(g).input, conv(g).filter, conv(g).output, geometry],
    workspace: (_a, _b, _c, g) => floatConvWorkspace(g),
  },
  conv2dBackwardInput: {
    kinds: ['Fr', 'Fr', 'Fw', 'conv'],
    sizes: (_dy, _f, _dx, g) => [conv(g).output, conv(g).filter, conv(g).input, geometry],
    workspace: (_a, _b, _c, g) => floatConvWorkspace(g),
  },
  conv2dBackwardFilter: {
    kinds: ['Fr', 'Fr', 'Fw', 'conv'],
    sizes: (_x, _dy, _df, g) => [conv(g).input, conv(g).output, conv(g).filter, geometry],
    workspace: (_a, _b, _c, g) => floatConvWorkspace(g),
  },
  conv2dSigns: {
    kinds: ['Fr', 'Wr', 'Fr', 'Fw', 'conv'],
    sizes: (_x, _f, _al, _y, g) => [conv(g).input, conv(g).filterWords, conv(g).outChannels, conv(g).output, geometry],
    workspace: (_a, _b, _c, _d, g) => floatConvWorkspace(g),
  },
  conv2dBackwardInputSigns: {
    kinds: ['Fr', 'Wr', 'Fr', 'Fw', 'conv'],
    sizes: (_dy, _f, _al, _dx, g) => [
      conv(g).output,
      conv(g).filterWords,
      conv(g).outChannels,
      conv(g).input,
      geometry,
    ],
    workspace: (_a, _b, _c, _d, g) => floatConvWorkspace(g),
  },
  conv2dBackwardFilterSigns: {
    kinds: ['Wr', 'Fr', 'Fw', 'conv', 'padding'],
    sizes: (_x, _dy, _df, g) => [conv(g).inWords, conv(g).output, conv(g).filter, geometry],
    workspace: (_a, _b, _c, g) => floatConvWorkspace(g),
  },
  packSigns: { kinds: ['Fr', 'Ww', 'rows', 'count'], sizes: (_x, _w, rows, c) => [rows * c, wordsFor(rows, c)] },
  packAffineSigns: {
    kinds: ['Fr', 'Fr', 'Fr', 'Ww', 'rows', 'count'],
    sizes: (_x, _a, _b, _w, rows, c) => [rows * c, c, c, wordsFor(rows, c)],
  },
  packWithin: {
    kinds: ['Fr', 'float', 'float', 'Ww', 'rows', 'count'],
    sizes: (_x, _l, _h, _w, rows, c) => [rows * c, wordsFor(rows, c)],
  },
  unpackSigns: { kinds: ['Wr', 'Fw', 'rows', 'count'], sizes: (_w, _y, rows, c) => [wordsFor(rows, c), rows * c] },
  maskBits: {
    kinds: ['Fr', 'Wr', 'Fw', 'rows', 'count'],
    sizes: (_dy, _w, _dx, rows, c) => [rows * c, wordsFor(rows, c), rows * c],
  },
  packFilterSigns: {
    kinds: ['Fr', 'Ww', 'count', 'count', 'count'],
    sizes: (_w, _o, taps, ci, co) => [taps * ci * co, wordsFor(taps * co, ci)],
  },
  prepareXnorFilter: {
    kinds: ['Wr', 'Pw', 'conv'],
    sizes: (_w, _p, g) => [conv(g).filterWords, prepared(g), geometry],
  },
  xnorGemm: {
    kinds: ['Wr', 'Wr', 'Iw', 'rows', 'rows', 'count'],
    sizes: (_a, _b, _o, m, n, k) => [m * wordsPerRow(k), n * wordsPerRow(k), m * n],
  },
  xnorConv2d: {
    kinds: ['Wr', 'Pr', 'Iw', 'conv', 'padding'],
    sizes: (_x, _f, _o, g) => [conv(g).inWords, prepared(g), conv(g).output, geometry],
    workspace: (_a, _b, _c, g) => xnorWorkspace(g),
  },
  xnorConv2dScaled: {
    kinds: ['Wr', 'Pr', 'Fr', 'Fr', 'Fr', 'Fw', 'conv', 'padding'],
    sizes: (_x, _f, _al, scale, _sh, _o, g) => {
      const affine = scale.length > 0 ? conv(g).outChannels : 0;
      return [conv(g).inWords, prepared(g), conv(g).outChannels, affine, affine, conv(g).output, geometry];
    },
    extra: (_x, _f, _al, scale) => scale.length,
    workspace: (_a, _b, _c, _d, _e, _f, g) => xnorWorkspace(g),
  },
  xnorConv2dThreshold: {
    kinds: ['Wr', 'Pr', 'Ir', 'Ir', 'Ww', 'conv', 'padding'],
    sizes: (_x, _f, _t, _fl, _o, g) => [
      conv(g).inWords,
      prepared(g),
      conv(g).outChannels,
      conv(g).outChannels,
      conv(g).outWords,
      geometry,
    ],
    workspace: (_a, _b, _c, _d, _e, g) => xnorWorkspace(g),
  },
  channelMoments: { kinds: ['Fr', 'Fw', 'Fw', 'rows', 'count'], sizes: (_x, _m, _v, rows, c) => [rows * c, c, c] },
  channelAffine: {
    kinds: ['Fr', 'Fr', 'Fr', 'Fr', 'float', 'float', 'Fw', 'rows', 'count'],
    sizes: (_x, _a, _b, residual, _l, _h, _y, rows, c) => [
      rows * c,
      c,
      c,
      residual.length > 0 ? rows * c : 0,
      rows * c,
    ],
    extra: (_x, _a, _b, residual) => residual.length,
  },
  batchNormBackward: {
    kinds: [
      ...(['Fr', 'Fr', 'Fr', 'Fr', 'op', 'float', 'float', 'float', 'float'] as const),
      ...(['Fr', 'Fr', 'Fr', 'Fw', 'Fw', 'Fw', 'Fw', 'rows', 'count'] as const),
    ],
    sizes: (_x, _y, direct, sloped, _op, _p0, _p1, low, high, _m, _s, _ga, _g, _dx, _dg, _db, rows, c) => {
      const all = rows * c;
      const needsOutput = sloped.length > 0 || low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY;
      const takesDirect = direct.length > 0 || sloped.length === 0;
      const arriving = [needsOutput ? all : 0, takesDirect ? all : 0, sloped.length > 0 ? all : 0];
      return [all, ...arriving, c, c, c, all, all, c, c];
    },
    // bit 0: direct counts, bit 1: sloped does
    extra: (_x, _y, direct, sloped) => Number(direct.length > 0 || sloped.length === 0) + 2 * Number(sloped.length > 0),
  },
  columnSums: { kinds: ['Fr', 'Fw', 'rows', 'count'], sizes: (_x, _o, rows, c) => [rows * c, c] },
  columnAbsSums: { kinds: ['Fr', 'Fw', 'rows', 'count'], sizes: (_x, _o, rows, c) => [rows * c, c] },
  columnDots: { kinds: ['Fr', 'Fr', 'Fw', 'rows', 'count'], sizes: (_a, _b, _o, rows, c) => [rows * c, rows * c, c] },
  rowAbsMeans: { kinds: ['Fr', 'Fw', 'rows', 'count'], sizes: (_x, _o, rows, c) => [rows * c, rows] },
  rowScale: { kinds: ['Fr', 'Fr', 'Fw', 'rows', 'count'], sizes: (_x, _f, _y, rows, c) => [rows * c, rows, rows * c] },
  rowDots: { kinds: ['Fr', 'Fr', 'Fw', 'rows', 'count'], sizes: (_a, _b, _o, rows, c) => [rows * c, rows * c, rows] },
  copyBlocks: {
    kinds: ['Fr', 'Fu', 'copy'],
    sizes: (_x, _y, g) => [runsEnd(g, 4), Math.max(runsEnd(g, 8), copiedValues(loopsOf(g))), 12],
  },
  maxPool: {
    kinds: ['Fr', 'Fw', 'Iw', 'pool'],
    sizes: (_x, _y, _i, g) => [poolInput(g), poolOutput(g), poolOutput(g), poolGeometry],
  },
  maxPoolBackward: {
    kinds: ['Fr', 'Ir', 'Fw', 'pool'],
    sizes: (_dy, _i, _dx, g) => [poolOutput(g), poolOutput(g), poolInput(g), poolGeometry],
  },
  avgPool: { kinds: ['Fr', 'Fw', 'pool'], sizes: (_x, _y, g) => [poolInput(g), poolOutput(g), poolGeometry] },
  avgPoolBackward: { kinds: ['Fr', 'Fw', 'pool'], sizes: (_dy, _dx, g) => [poolOutput(g), poolInput(g), poolGeometry] },
  unary: { kinds: ['op', 'Fr', 'Fw'], sizes: (_op, _x, y) => [y.length, y.length], extra: (_op, _x, y) => y.length },
  unaryBackward: {
    kinds: ['op', 'Fr', 'Fr', 'Fw', 'float', 'float'],
    sizes: (_op, _x, _dy, dx) => [dx.length, dx.length, dx.length],
    extra: (_op, _x, _dy, dx) => dx.length,
  },
  maskWithin: {
    kinds: ['Fr', 'Fr', 'float', 'float', 'Fw'],
    sizes: (_dy, _y, _l, _h, dx) => [dx.length, dx.length, dx.length],
    extra: (_dy, _y, _l, _h, dx) => dx.length,
  },
  prelu: { kinds: ['Fr', 'Fr', 'Fw', 'rows', 'count'], sizes: (_x, _s, _y, rows, c) => [rows * c, c, rows * c] },
  preluBackward: {
    kinds: ['Fr', 'Fr', 'Fr', 'Fw', 'Fw', 'rows', 'count'],
    sizes: (_x, _s, _dy, _dx, _ds, rows, c) => [rows * c, c, rows * c, rows * c, c],
  },
  add: {
    kinds: ['Fr', 'Fr', 'Fw'],
    sizes: (_a, _b, y) => [y.length, y.length, y.length],
    extra: (_a, _b, y) => y.length,
  },
  multiply: {
    kinds: ['Fr', 'Fr', 'Fw'],
    sizes: (_a, _b, y) => [y.length, y.length, y.length],
    extra: (_a, _b, y) => y.length,
  },
  blend: {
    kinds: ['Fr', 'float', 'float', 'Fu'],
    sizes: (_x, _f, _k, y) => [y.length, y.length],
    extra: (_x, _f, _k, y) => y.length,
  },
  clamp: { kinds: ['Fu', 'float', 'float'], sizes: (x) => [x.length], extra: (x) => x.length },
  sgdStep: {
    kinds: ['Fu', 'Fr', 'Fu', 'float', 'float', 'float', 'flag'],
    sizes: (w) => [w.length, w.length, w.length],
    extra: (w) => w.length,
  },
  adamStep: {
    kinds: ['Fu', 'Fr', 'Fu', 'Fu', 'float', 'float', 'float', 'float', 'float', 'float', 'float'],
    sizes: (w) => [w.length, w.length, w.length, w.length],
    extra: (w) => w.length,
  },
  adamaxStep: {
    kinds: ['Fu', 'Fr', 'Fu', 'Fu', 'float', 'float', 'float', 'float', 'float', 'float'],
    sizes: (w) => [w.length, w.length, w.length, w.length],
    extra: (w) => w.length,
  },
  rmspropStep: {
    kinds: ['Fu', 'Fr', 'Fu', 'float', 'float', 'float', 'float'],
    sizes: (w) => [w.length, w.length, w.length],
    extra: (w) => w.length,
  },
};
