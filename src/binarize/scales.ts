import { kernels } from '../backend/select.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { floats, release } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The factor alpha of each output channel, from the values whose signs are taken. */
export type Scale = (w: Tensor) => Float32Array;

/** alpha = 1. */
export const noScale: Scale = (w) => floats(w.channels).fill(1);

/** alpha_c = mean|w_c|, which minimises ||w_c - alpha sign(w_c)||^2 (Rastegari 2016, eq. 6; survey eq. 8). */
export const filterMean: Scale = (w) => {
  const alpha = floats(w.channels);
  kernels().columnAbsSums(w.data, alpha, w.rows, w.channels);
  for (let c = 0; c < alpha.length; c++) alpha[c]! /= w.rows;
  return alpha;
};

/** One alpha = mean|w| for the whole layer (Zhou 2016, eq. 8). */
export const layerMean: Scale = (w) => {
  const alpha = filterMean(w);
  const mean = alpha.reduce((total, value) => total + value, 0) / alpha.length;
  return alpha.fill(mean);
};

/** 2^round(log2 mean|w_c|): a shift in hardware (Qin 2020, IR-Net, eq. 6). */
export const powerOfTwoMean: Scale = (w) => {
  const alpha = filterMean(w);
  for (let c = 0; c < alpha.length; c++) alpha[c] = 2 ** Math.round(Math.log2(Math.max(alpha[c]!, 1e-30)));
  return alpha;
};

/** out[i][c] = x[i][c]*factor[c] */
export function scaleColumns(x: Float32Array, factor: Float32Array, out: Float32Array, rows: number): void {
  const zero = floats(factor.length).fill(0);
  affineColumns(kernels(), x, factor, zero, out, rows);
  release(zero);
}

/** mean|w| of the whole layer. */
export function meanMagnitude(w: Float32Array): number {
  let total = 0;
  for (const value of w) total += Math.abs(value);
  return total / w.length;
}
