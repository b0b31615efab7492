import { wordsFor, wordsPerRow } from '../../core/bits.ts';
import type { FlatKernels } from '../flat-kernels.ts';

type Sizes<A extends unknown[]> = (...args: A) => readonly number[];

/**
 * How a kernel's arguments cross into WebAssembly memory. `access` has one letter per argument: `r` array read, `w` written, `u`
 * both, `.` number. `sizes` gives the elements each array argument needs, in order: what is checked and copied.
 * `extra` is appended as a last number, where the compiled function needs a length.
 */
export interface Signature<A extends unknown[]> {
  readonly access: string;
  readonly sizes: Sizes<A>;
  readonly extra?: (...args: A) => number;
}

type Signatures = { readonly [K in keyof FlatKernels]: Signature<Parameters<FlatKernels[K]>> };

interface Extents {
  input: number;
  output: number;
  filter: number;
  inWords: number;
  outWords: number;
  filterWords: number;
  outChannels: number;
}

/** Element counts of a convolution, from its geometry words (order: flat-kernels.ts). */
function conv(g: Int32Array): Extents {
  const [batch, height, width, inChannels, kh, kw, outChannels, , , , groups, outHeight, outWidth] = g as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const taps = kh * kw;
  const [inPixels, outPixels] = [batch * height * width, batch * outHeight * outWidth];
  return {
    input: inPixels * inChannels,
    output: outPixels * outChannels,
    filter: (taps * inChannels * outChannels) / groups,
    inWords: wordsFor(inPixels, inChannels),
    outWords: wordsFor(outPixels, outChannels),
    filterWords: wordsFor(outChannels * taps, inChannels / groups),
    outChannels,
  };
}

/** uint32 words of a prepared filter: 32-output panels of nibbles, one byte each, then the sums per tap. */
function prepared(g: Int32Array): number {
  const [, , , inChannels, kh, kw, outChannels, , , , groups] = g as unknown as number[];
  const units = Math.ceil(inChannels! / groups! / 4);
  const panels = groups! * Math.ceil(outChannels! / groups! / 32);
  return panels * kh! * kw! * units * 8 + kh! * kw! * outChannels!;
}

const geometry = 13;
const poolGeometry = 9;
const poolInput = (g: Int32Array) => g[0]! * g[1]! * g[2]! * g[3]!;
const poolOutput = (g: Int32Array) => g[0]! * g[7]! * g[8]! * g[3]!;
/** Where the last run of a copy ends; its runs are described from word `at` on. */
const runsEnd = (g: Int32Array, at: number) =>
  [0, 1, 2].reduce((end, i) => end + (g[i]! - 1) * g[at + 1 + i]!, g[at]! + g[3]!);

export const signatures: Signatures = {
  sgemm: { access: '.....rr.u', sizes: (_ta, _tb, m, n, k) => [m * k, k * n, m * n] },
  conv2d: { access: 'rrwr', sizes: (_x, _f, _y, g) => [conv(g).input, conv(g).filter, conv(g).output, geometry] },
  conv2dBackwardInput: {
    access: 'rrwr',
    sizes: (_dy, _f, _dx, g) => [conv(g).output, conv(g).filter, conv(g).input, geometry],
  },
  conv2dBackwardFilter: {
    access: 'rrwr',
    sizes: (_x, _dy, _df, g) => [conv(g).input, conv(g).output, conv(g).filter, geometry],
  },
  conv2dSigns: {
    access: 'rrrwr',
    sizes: (_x, _f, _al, _y, g) => [conv(g).input, conv(g).filterWords, conv(g).outChannels, conv(g).output, geometry],
  },
  conv2dBackwardInputSigns: {
    access: 'rrrwr',
    sizes: (_dy, _f, _al, _dx, g) => [
      conv(g).output,
      conv(g).filterWords,
      conv(g).outChannels,
      conv(g).input,
      geometry,
    ],
  },
  conv2dBackwardFilterSigns: {
    access: 'rrwr.',
    sizes: (_x, _dy, _df, g) => [conv(g).inWords, conv(g).output, conv(g).filter, geometry],
  },
  packSigns: { access: 'rw..', sizes: (_x, _w, rows, c) => [rows * c, wordsFor(rows, c)] },
  packAffineSigns: { access: 'rrrw..', sizes: (_x, _a, _b, _w, rows, c) => [rows * c, c, c, wordsFor(rows, c)] },
  packWithin: { access: 'r..w..', sizes: (_x, _l, _h, _w, rows, c) => [rows * c, wordsFor(rows, c)] },
  unpackSigns: { access: 'rw..', sizes: (_w, _y, rows, c) => [wordsFor(rows, c), rows * c] },
  maskBits: { access: 'rrw..', sizes: (_dy, _w, _dx, rows, c) => [rows * c, wordsFor(rows, c), rows * c] },
  packFilterSigns: { access: 'rw...', sizes: (_w, _o, taps, ci, co) => [taps * ci * co, wordsFor(taps * co, ci)] },
  prepareXnorFilter: { access: 'rwr', sizes: (_w, _p, g) => [conv(g).filterWords, prepared(g), geometry] },
  xnorGemm: { access: 'rrw...', sizes: (_a, _b, _o, m, n, k) => [m * wordsPerRow(k), n * wordsPerRow(k), m * n] },
  xnorConv2d: { access: 'rrwr.', sizes: (_x, _f, _o, g) => [conv(g).inWords, prepared(g), conv(g).output, geometry] },
  xnorConv2dScaled: {
    access: 'rrrrrwr.',
    sizes: (_x, _f, _al, scale, _sh, _o, g) => {
      const affine = scale.length > 0 ? conv(g).outChannels : 0;
      return [conv(g).inWords, prepared(g), conv(g).outChannels, affine, affine, conv(g).output, geometry];
    },
    extra: (_x, _f, _al, scale) => scale.length,
  },
  xnorConv2dThreshold: {
    access: 'rrrrwr.',
    sizes: (_x, _f, _t, _fl, _o, g) => [
      conv(g).inWords,
      prepared(g),
      conv(g).outChannels,
      conv(g).outChannels,
      conv(g).outWords,
      geometry,
    ],
  },
  channelMoments: { access: 'rww..', sizes: (_x, _m, _v, rows, c) => [rows * c, c, c] },
  channelAffine: {
    access: 'rrrr..w..',
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
    access: 'rrrrrwww..',
    sizes: (_x, _dy, _m, _s, _g, _dx, _dg, _db, rows, c) => [rows * c, rows * c, c, c, c, rows * c, c, c],
  },
  columnSums: { access: 'rw..', sizes: (_x, _o, rows, c) => [rows * c, c] },
  columnAbsSums: { access: 'rw..', sizes: (_x, _o, rows, c) => [rows * c, c] },
  columnDots: { access: 'rrw..', sizes: (_a, _b, _o, rows, c) => [rows * c, rows * c, c] },
  rowAbsMeans: { access: 'rw..', sizes: (_x, _o, rows, c) => [rows * c, rows] },
  rowScale: { access: 'rrw..', sizes: (_x, _f, _y, rows, c) => [rows * c, rows, rows * c] },
  rowDots: { access: 'rrw..', sizes: (_a, _b, _o, rows, c) => [rows * c, rows * c, rows] },
  copyBlocks: { access: 'rur', sizes: (_x, _y, g) => [runsEnd(g, 4), runsEnd(g, 8), 12] },
  maxPool: { access: 'rwwr', sizes: (_x, _y, _i, g) => [poolInput(g), poolOutput(g), poolOutput(g), poolGeometry] },
  maxPoolBackward: {
    access: 'rrwr',
    sizes: (_dy, _i, _dx, g) => [poolOutput(g), poolOutput(g), poolInput(g), poolGeometry],
  },
  avgPool: { access: 'rwr', sizes: (_x, _y, g) => [poolInput(g), poolOutput(g), poolGeometry] },
  avgPoolBackward: { access: 'rwr', sizes: (_dy, _dx, g) => [poolOutput(g), poolInput(g), poolGeometry] },
  unary: { access: '.rw', sizes: (_op, _x, y) => [y.length, y.length], extra: (_op, _x, y) => y.length },
  unaryBackward: {
    access: '.rrw..',
    sizes: (_op, _x, _dy, dx) => [dx.length, dx.length, dx.length],
    extra: (_op, _x, _dy, dx) => dx.length,
  },
  maskWithin: {
    access: 'rr..w',
    sizes: (_dy, _y, _l, _h, dx) => [dx.length, dx.length, dx.length],
    extra: (_dy, _y, _l, _h, dx) => dx.length,
  },
  prelu: { access: 'rrw..', sizes: (_x, _s, _y, rows, c) => [rows * c, c, rows * c] },
  preluBackward: { access: 'rrrww..', sizes: (_x, _s, _dy, _dx, _ds, rows, c) => [rows * c, c, rows * c, rows * c, c] },
  add: { access: 'rrw', sizes: (_a, _b, y) => [y.length, y.length, y.length], extra: (_a, _b, y) => y.length },
  multiply: { access: 'rrw', sizes: (_a, _b, y) => [y.length, y.length, y.length], extra: (_a, _b, y) => y.length },
  blend: { access: 'r..u', sizes: (_x, _f, _k, y) => [y.length, y.length], extra: (_x, _f, _k, y) => y.length },
  clamp: { access: 'u..', sizes: (x) => [x.length], extra: (x) => x.length },
  sgdStep: { access: 'uru....', sizes: (w) => [w.length, w.length, w.length], extra: (w) => w.length },
  adamStep: { access: 'uruu.......', sizes: (w) => [w.length, w.length, w.length, w.length], extra: (w) => w.length },
  adamaxStep: { access: 'uruu......', sizes: (w) => [w.length, w.length, w.length, w.length], extra: (w) => w.length },
  rmspropStep: { access: 'uru....', sizes: (w) => [w.length, w.length, w.length], extra: (w) => w.length },
};
