import { wordsPerRow } from '../core/bits.ts';
import { type BlockCopy, checkBlockCopy } from '../core/block-copy.ts';
import { type ConvGeometry, checkConvGeometry, checkPoolGeometry, type PoolGeometry } from '../core/conv-geometry.ts';
import { type Kernels, unaryOps } from './kernels.ts';
import { PreparedLayout } from './prepared-filter.ts';

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

/**
 * Order of the fields: kernels/native/geometry.h and kernels/wasm/assembly/geometry.ts read the same.
 *
 * @throws ShapeError when they do not fit together
 */
function convWords(g: ConvGeometry): Int32Array {
  checkConvGeometry('convolution', g);
  return Int32Array.of(
    g.batch,
    g.height,
    g.width,
    g.inChannels,
    g.kernelHeight,
    g.kernelWidth,
    g.outChannels,
    // a stride beyond the image is never taken
    Math.min(g.stride, Math.max(g.height, g.width) + 2 * g.pad),
    g.pad,
    g.dilation,
    g.groups,
    g.outHeight,
    g.outWidth,
  );
}

function poolWords(g: PoolGeometry): Int32Array {
  checkPoolGeometry('pooling', g);
  const stride = Math.min(g.stride, Math.max(g.height, g.width) + 2 * g.pad);
  return Int32Array.of(g.batch, g.height, g.width, g.channels, g.window, stride, g.pad, g.outHeight, g.outWidth);
}

function copyWords(g: BlockCopy): Int32Array {
  checkBlockCopy('copy', g);
  const { counts, length, from, to } = g;
  return Int32Array.of(...counts, length, from.offset, ...from.steps, to.offset, ...to.steps);
}

/** Both compiled backends store outputs of one group in panels of this many filters. */
const panelFilters = 32;

/** The native backend begins the panels on a cache line, wherever the array lies, and notes where that is (xnor.inl). */
const headWords = 17;

/** uint32 words of a prepared filter: panels of nibbles (one byte each, see xnor_nibbles.inl) or words, whichever is larger; whose they are. */
function preparedFilterWords(g: ConvGeometry): number {
  const groupOutputs = Math.ceil(g.outChannels / g.groups / panelFilters) * panelFilters;
  return (
    headWords +
    g.groups * groupOutputs * g.kernelHeight * g.kernelWidth * wordsPerRow(g.inChannels / g.groups) * 2 +
    g.kernelHeight * g.kernelWidth * g.outChannels +
    1
  );
}

/** Turns a flat backend into the typed interface. */
export function bindFlatKernels(name: Kernels['name'], detail: string, flat: FlatKernels): Kernels {
  const zeroPad = (padding: 'zero' | 'one') => Number(padding === 'zero');
  const layout = new PreparedLayout(`${name} ${detail}`, preparedFilterWords);
  return {
    ...flat,
    name,
    detail,
    sgemm: (ta, tb, m, n, k, a, b, accumulate, c) =>
      flat.sgemm(Number(ta), Number(tb), m, n, k, a, b, Number(accumulate), c),
    conv2d: (x, filter, y, g) => flat.conv2d(x, filter, y, convWords(g)),
    conv2dBackwardInput: (dy, filter, dx, g) => flat.conv2dBackwardInput(dy, filter, dx, convWords(g)),
    conv2dBackwardFilter: (x, dy, dw, g) => flat.conv2dBackwardFilter(x, dy, dw, convWords(g)),
    preparedFilterWords,
    prepareXnorFilter: (words, prepared, g) => {
      flat.prepareXnorFilter(words, prepared, convWords(g));
      layout.mark(prepared, g);
    },
    xnorConv2d: (x, filter, out, g, padding) => {
      layout.check(filter, g);
      flat.xnorConv2d(x, filter, out, convWords(g), zeroPad(padding));
    },
    xnorConv2dScaled: (x, filter, alpha, scale, shift, out, g, padding) => {
      layout.check(filter, g);
      flat.xnorConv2dScaled(x, filter, alpha, scale, shift, out, convWords(g), zeroPad(padding));
    },
    xnorConv2dThreshold: (x, filter, threshold, flip, out, g, padding) => {
      layout.check(filter, g);
      flat.xnorConv2dThreshold(x, filter, threshold, flip, out, convWords(g), zeroPad(padding));
    },
    conv2dSigns: (x, filter, alpha, y, g) => flat.conv2dSigns(x, filter, alpha, y, convWords(g)),
    conv2dBackwardInputSigns: (dy, filter, alpha, dx, g) =>
      flat.conv2dBackwardInputSigns(dy, filter, alpha, dx, convWords(g)),
    conv2dBackwardFilterSigns: (x, dy, dw, g, padding) =>
      flat.conv2dBackwardFilterSigns(x, dy, dw, convWords(g), zeroPad(padding)),
    batchNormBackward: (x, y, direct, sloped, slope, ...rest) =>
      flat.batchNormBackward(x, y, direct, sloped, unaryOps.indexOf(slope), ...rest),
    copyBlocks: (x, y, g) => flat.copyBlocks(x, y, copyWords(g)),
    maxPool: (x, y, indices, g) => flat.maxPool(x, y, indices, poolWords(g)),
    maxPoolBackward: (dy, indices, dx, g) => flat.maxPoolBackward(dy, indices, dx, poolWords(g)),
    avgPool: (x, y, g) => flat.avgPool(x, y, poolWords(g)),
    avgPoolBackward: (dy, dx, g) => flat.avgPoolBackward(dy, dx, poolWords(g)),
    unary: (op, x, y) => flat.unary(unaryOps.indexOf(op), x, y),
    unaryBackward: (op, x, dy, dx, p0, p1) => flat.unaryBackward(unaryOps.indexOf(op), x, dy, dx, p0, p1),
    sgdStep: (w, g, velocity, rate, momentum, decay, nesterov) =>
      flat.sgdStep(w, g, velocity, rate, momentum, decay, Number(nesterov)),
  };
}
