import { wordsFor } from '../../core/bits.ts';
import type { ConvGeometry } from '../../core/conv-geometry.ts';
import type { Kernels } from '../kernels.ts';
import { PreparedLayout } from '../prepared-filter.ts';
import { bitAt, unpackSigns } from './bits.ts';
import { conv2d, conv2dBackwardFilter, conv2dBackwardInput, forEachProduct } from './conv.ts';

export const xnorGemm: Kernels['xnorGemm'] = (a, b, out, m, n, k) => {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let dot = 0;
      for (let l = 0; l < k; l++) dot += bitAt(a, i, k, l) === bitAt(b, j, k, l) ? 1 : -1;
      out[i * n + j] = dot;
    }
};

const packedFilterWords = (g: ConvGeometry) =>
  wordsFor(g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);

/** The reference keeps the canonical layout, and the word that says so. */
export function preparedFilterWords(g: ConvGeometry): number {
  return packedFilterWords(g) + 1;
}

const layout = new PreparedLayout('reference typescript', preparedFilterWords);

export const prepareXnorFilter: Kernels['prepareXnorFilter'] = (words, prepared, g) => {
  prepared.set(words.subarray(0, packedFilterWords(g)));
  layout.mark(prepared, g);
};

export const xnorConv2d: Kernels['xnorConv2d'] = (x, filter, out, g, padding) => {
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
};

export const xnorConv2dScaled: Kernels['xnorConv2dScaled'] = (x, filter, alpha, scale, shift, out, g, padding) => {
  const dots = new Int32Array(g.batch * g.outHeight * g.outWidth * g.outChannels);
  xnorConv2d(x, filter, dots, g, padding);
  for (let i = 0; i < dots.length; i++) {
    const c = i % g.outChannels;
    const scaled = Math.fround(dots[i]! * alpha[c]!);
    out[i] = scale.length === 0 ? scaled : Math.fround(Math.fround(scaled * scale[c]!) + shift[c]!);
  }
};

export const xnorConv2dThreshold: Kernels['xnorConv2dThreshold'] = (x, filter, threshold, flip, out, g, padding) => {
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
};

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

export const conv2dSigns: Kernels['conv2dSigns'] = (x, filter, alpha, y, g) => {
  conv2d(x, effectiveFilter(filter, alpha, g), y, g);
};

export const conv2dBackwardInputSigns: Kernels['conv2dBackwardInputSigns'] = (dy, filter, alpha, dx, g) => {
  conv2dBackwardInput(dy, effectiveFilter(filter, alpha, g), dx, g);
};

export const conv2dBackwardFilterSigns: Kernels['conv2dBackwardFilterSigns'] = (x, dy, dfilter, g, padding) => {
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
};
