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

type Extent = 'input' | 'output' | 'filter' | 'inWords' | 'outWords' | 'filterWords' | 'prepared' | 'outChannels';

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
function conv(g: Int32Array): Record<Extent, number> {
  const { batch, height, width, inChannels, outChannels, outHeight, outWidth, groups, taps, groupIn, groupOut } =
    fields(g);
  const [inPixels, outPixels] = [batch * height * width, batch * outHeight * outWidth];
  return {
    input: inPixels * inChannels,
    output: outPixels * outChannels,
    filter: taps * groupIn * outChannels,
    inWords: wordsFor(inPixels, inChannels),
    outWords: wordsFor(outPixels, outChannels),
    filterWords: wordsFor(outChannels * taps, groupIn),
    // 32-output panels of nibbles, one byte each, then the sums per tap
    prepared: groups * Math.ceil(groupOut / 32) * taps * Math.ceil(groupIn / 4) * 8 + taps * outChannels,
    outChannels,
  };
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

type Kinds = readonly ArgumentKind[];
type Arguments = readonly unknown[];
const arraysOf = (kinds: Kinds) => kinds.filter((kind) => isArrayKind(flatKind(kind)));

/** Convolutions: the extents of their arrays, in order. */
const convolution = <const K extends Kinds>(kinds: K, workspace: (g: Int32Array) => number, extents: Extent[]) => {
  const geometryOf = (args: Arguments) => args[kinds.indexOf('conv')] as Int32Array;
  return {
    kinds,
    sizes: (...args: Arguments) => {
      const all = conv(geometryOf(args));
      return [...extents.map((extent) => all[extent]), geometry];
    },
    workspace: (...args: Arguments) => workspace(geometryOf(args)),
  };
};

type OfRows = (rows: number, columns: number) => number;
const all: OfRows = (rows, columns) => rows * columns;
const row: OfRows = (_rows, columns) => columns;
const column: OfRows = (rows) => rows;

/** Kernels over rows and columns, which are their last arguments. */
const ofRows = <const K extends Kinds>(kinds: K, ...extents: OfRows[]) => ({
  kinds: [...kinds, 'rows', 'count'] as const,
  sizes: (...args: Arguments) => {
    const [rows, columns] = args.slice(kinds.length) as [number, number];
    return extents.map((extent) => extent(rows, columns));
  },
});

/** Kernels whose arrays are all as long as the first that they write, which is what the WebAssembly function is told. */
const equallyLong = <const K extends Kinds>(kinds: K) => {
  const arrays = arraysOf(kinds);
  const written = kinds.indexOf(arrays.find((kind) => !kind.endsWith('r'))!);
  const extra = (...args: Arguments) => (args[written] as Float32Array).length;
  return { kinds, extra, sizes: (...args: Arguments) => arrays.map(() => extra(...args)) };
};

export const kernelTable: KernelTable = {
  sgemm: {
    kinds: ['flag', 'flag', 'rows', 'rows', 'rows', 'Fr', 'Fr', 'flag', 'Fu'],
    sizes: (_ta, _tb, m, n, k) => [m * k, k * n, m * n],
    workspace: (_ta, _tb, _m, n) => gemmWorkspace(n),
  },
  conv2d: convolution(['Fr', 'Fr', 'Fw', 'conv'], floatConvWorkspace, ['input', 'filter', 'output']),
  conv2dBackwardInput: convolution(['Fr', 'Fr', 'Fw', 'conv'], floatConvWorkspace, ['output', 'filter', 'input']),
  conv2dBackwardFilter: convolution(['Fr', 'Fr', 'Fw', 'conv'], floatConvWorkspace, ['input', 'output', 'filter']),
  conv2dSigns: convolution(['Fr', 'Wr', 'Fr', 'Fw', 'conv'], floatConvWorkspace, [
    'input',
    'filterWords',
    'outChannels',
    'output',
  ]),
  conv2dBackwardInputSigns: convolution(['Fr', 'Wr', 'Fr', 'Fw', 'conv'], floatConvWorkspace, [
    'output',
    'filterWords',
    'outChannels',
    'input',
  ]),
  conv2dBackwardFilterSigns: convolution(['Wr', 'Fr', 'Fw', 'conv', 'padding'], floatConvWorkspace, [
    'inWords',
    'output',
    'filter',
  ]),
  packSigns: ofRows(['Fr', 'Ww'], all, wordsFor),
  packAffineSigns: ofRows(['Fr', 'Fr', 'Fr', 'Ww'], all, row, row, wordsFor),
  packWithin: ofRows(['Fr', 'float', 'float', 'Ww'], all, wordsFor),
  unpackSigns: ofRows(['Wr', 'Fw'], wordsFor, all),
  maskBits: ofRows(['Fr', 'Wr', 'Fw'], all, wordsFor, all),
  packFilterSigns: {
    kinds: ['Fr', 'Ww', 'count', 'count', 'count'],
    sizes: (_w, _o, taps, ci, co) => [taps * ci * co, wordsFor(taps * co, ci)],
  },
  prepareXnorFilter: convolution(['Wr', 'Pw', 'conv'], () => 0, ['filterWords', 'prepared']),
  xnorGemm: {
    kinds: ['Wr', 'Wr', 'Iw', 'rows', 'rows', 'count'],
    sizes: (_a, _b, _o, m, n, k) => [m * wordsPerRow(k), n * wordsPerRow(k), m * n],
  },
  xnorConv2d: convolution(['Wr', 'Pr', 'Iw', 'conv', 'padding'], xnorWorkspace, ['inWords', 'prepared', 'output']),
  xnorConv2dScaled: {
    kinds: ['Wr', 'Pr', 'Fr', 'Fr', 'Fr', 'Fw', 'conv', 'padding'],
    sizes: (_x, _f, _al, scale, _sh, _o, g) => {
      const { inWords, prepared, outChannels, output } = conv(g);
      const affine = scale.length > 0 ? outChannels : 0;
      return [inWords, prepared, outChannels, affine, affine, output, geometry];
    },
    extra: (_x, _f, _al, scale) => scale.length,
    workspace: (_a, _b, _c, _d, _e, _f, g) => xnorWorkspace(g),
  },
  xnorConv2dThreshold: convolution(['Wr', 'Pr', 'Ir', 'Ir', 'Ww', 'conv', 'padding'], xnorWorkspace, [
    'inWords',
    'prepared',
    'outChannels',
    'outChannels',
    'outWords',
  ]),
  channelMoments: ofRows(['Fr', 'Fw', 'Fw'], all, row, row),
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
  columnSums: ofRows(['Fr', 'Fw'], all, row),
  columnAbsSums: ofRows(['Fr', 'Fw'], all, row),
  columnDots: ofRows(['Fr', 'Fr', 'Fw'], all, all, row),
  rowAbsMeans: ofRows(['Fr', 'Fw'], all, column),
  rowScale: ofRows(['Fr', 'Fr', 'Fw'], all, column, all),
  rowDots: ofRows(['Fr', 'Fr', 'Fw'], all, all, column),
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
  unary: equallyLong(['op', 'Fr', 'Fw']),
  unaryBackward: equallyLong(['op', 'Fr', 'Fr', 'Fw', 'float', 'float']),
  maskWithin: equallyLong(['Fr', 'Fr', 'float', 'float', 'Fw']),
  prelu: ofRows(['Fr', 'Fr', 'Fw'], all, row, all),
  preluBackward: ofRows(['Fr', 'Fr', 'Fr', 'Fw', 'Fw'], all, row, all, all, row),
  add: equallyLong(['Fr', 'Fr', 'Fw']),
  multiply: equallyLong(['Fr', 'Fr', 'Fw']),
  blend: equallyLong(['Fr', 'float', 'float', 'Fu']),
  clamp: equallyLong(['Fu', 'float', 'float']),
  sgdStep: equallyLong(['Fu', 'Fr', 'Fu', 'float', 'float', 'float', 'flag']),
  adamStep: equallyLong(['Fu', 'Fr', 'Fu', 'Fu', 'float', 'float', 'float', 'float', 'float', 'float', 'float']),
  adamaxStep: equallyLong(['Fu', 'Fr', 'Fu', 'Fu', 'float', 'float', 'float', 'float', 'float', 'float']),
  rmspropStep: equallyLong(['Fu', 'Fr', 'Fu', 'float', 'float', 'float', 'float']),
};
