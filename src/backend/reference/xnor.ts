import { wordsFor } from '../../core/bits.ts';
import type { ConvGeometry } from '../../core/conv-geometry.ts';
import type { BinaryPadding } from '../kernels.ts';
import { PreparedLayout } from '../prepared-filter.ts';
import { bitAt, unpackSigns } from './bits.ts';
import { conv2d, conv2dBackwardFilter, conv2dBackwardInput, forEachProduct } from './conv.ts';

export function xnorGemm(a: Uint32Array, b: Uint32Array, out: Int32Array, m: number, n: number, k: number): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let dot = 0;
      for (let l = 0; l < k; l++) dot += bitAt(a, i, k, l) === bitAt(b, j, k, l) ? 1 : -1;
      out[i * n + j] = dot;
    }
}

const packedFilterWords = (g: ConvGeometry) =>
  wordsFor(g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);

/** The reference keeps the canonical layout, and the word that says so. */
export function preparedFilterWords(g: ConvGeometry): number {
  return packedFilterWords(g) + 1;
}

const layout = new PreparedLayout('reference typescript', preparedFilterWords);

export function prepareXnorFilter(words: Uint32Array, prepared: Uint32Array, g: ConvGeometry): void {
  prepared.set(words.subarray(0, packedFilterWords(g)));
  layout.mark(prepared, g);
}

export function xnorConv2d(
  x: Uint32Array,
  filter: Uint32Array,
  out: Int32Array,
  g: ConvGeometry,
  padding: BinaryPadding,
): void {
  layout.check(filter, g);
  const groupIn = g.inChannels / g.groups;
  const taps = g.kernelHeight * g.kernelWidth;
  out.fill(0, 0, g.batch * g.outHeight * g.outWidth * g.outChannels);
  forEachProduct(g, (i, f, o) => {
    if (i < 0 && padding === 'zero') return;
    const co = f % g.outChannels;
    const tapAndChannel = (f - co) / g.outChannels;
    const ci = tapAndChannel % groupIn;
    const negativeInput = i >= 0 && bitAt(x, Math.floor(i / g.inChannels), g.inChannels, i % g.inChannels);
    const negativeFilter = bitAt(filter, co * taps + (tapAndChannel - ci) / groupIn, groupIn, ci);
    out[o]! += negativeInput === negativeFilter ? 1 : -1;
  });
}

export function xnorConv2dScaled(
  x: Uint32Array,
  filter: Uint32Array,
  alpha: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  out: Float32Array,
  g: ConvGeometry,
  padding: BinaryPadding,
): void {
  const dots = new Int32Array(g.batch * g.outHeight * g.outWidth * g.outChannels);
  xnorConv2d(x, filter, dots, g, padding);
  for (let i = 0; i < dots.length; i++) {
    const c = i % g.outChannels;
    const scaled = Math.fround(dots[i]! * alpha[c]!);
    out[i] = scale.length === 0 ? scaled : Math.fround(Math.fround(scaled * scale[c]!) + shift[c]!);
  }
}

export function xnorConv2dThreshold(
  x: Uint32Array,
  filter: Uint32Array,
  threshold: Int32Array,
  flip: Int32Array,
  out: Uint32Array,
  g: ConvGeometry,
  padding: BinaryPadding,
): void {
  const pixels = g.batch * g.outHeight * g.outWidth;
  const dots = new Int32Array(pixels * g.outChannels);
  xnorConv2d(x, filter, dots, g, padding);
  const stride = wordsFor(1, g.outChannels);
  out.fill(0, 0, pixels * stride);
  for (let i = 0; i < dots.length; i++) {
    const c = i % g.outChannels;
    const negative = flip[c] ? dots[i]! > threshold[c]! : dots[i]! < threshold[c]!;
    if (negative) out[((i - c) / g.outChannels) * stride + (c >>> 5)]! |= 1 << (c & 31);
  }
}

/** alpha[c]*sign as a float filter [taps, Cin/groups, Cout]. */
function effectiveFilter(filter: Uint32Array, alpha: Float32Array, g: ConvGeometry): Float32Array {
  const [taps, inputs, outputs] = [g.kernelHeight * g.kernelWidth, g.inChannels / g.groups, g.outChannels];
  const signs = new Float32Array(outputs * taps * inputs);
  unpackSigns(filter, signs, outputs * taps, inputs);
  return Float32Array.from({ length: signs.length }, (_, i) => {
    const [c, rest] = [i % outputs, Math.floor(i / outputs)];
    return signs[c * taps * inputs + rest]! * alpha[c]!;
  });
}

export function conv2dSigns(
  x: Float32Array,
  filter: Uint32Array,
  alpha: Float32Array,
  y: Float32Array,
  g: ConvGeometry,
): void {
  conv2d(x, effectiveFilter(filter, alpha, g), y, g);
}

export function conv2dBackwardInputSigns(
  dy: Float32Array,
  filter: Uint32Array,
  alpha: Float32Array,
  dx: Float32Array,
  g: ConvGeometry,
): void {
  conv2dBackwardInput(dy, effectiveFilter(filter, alpha, g), dx, g);
}

export function conv2dBackwardFilterSigns(
  x: Uint32Array,
  dy: Float32Array,
  dfilter: Float32Array,
  g: ConvGeometry,
  padding: BinaryPadding,
): void {
  const pixels = g.batch * g.height * g.width;
  const signs = new Float32Array(pixels * g.inChannels);
  unpackSigns(x, signs, pixels, g.inChannels);
  conv2dBackwardFilter(signs, dy, dfilter, g);
  if (padding === 'zero') return;
  const border = new Float64Array((g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels) / g.groups);
  forEachProduct(g, (i, f, o) => {
    if (i < 0) border[f]! += dy[o]!;
  });
  for (let f = 0; f < border.length; f++) dfilter[f]! += border[f]!;
}
