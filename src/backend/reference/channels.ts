import type { Kernels } from '../kernels.ts';
import { add, maskWithin, unaryBackward } from './elementwise.ts';
import { sumColumns, sumRow } from './sums.ts';

/** Reductions and maps along rows or channels of a [rows, channels] matrix. */

const { fround } = Math;

export const channelMoments: Kernels['channelMoments'] = (x, mean, variance, rows, channels) => {
  if (rows === 0) {
    mean.fill(0, 0, channels);
    variance.fill(0, 0, channels);
    return;
  }
  // squares are taken about the first row, so that a large mean does not cancel the variance
  const sums = sumColumns(rows, 2 * channels, (row, part) => {
    for (let c = 0; c < channels; c++) {
      const centred = fround(x[row * channels + c]! - x[c]!);
      part[c]! += centred;
      part[channels + c]! += fround(centred * centred);
    }
  });
  for (let c = 0; c < channels; c++) {
    const centre = sums[c]! / rows;
    mean[c] = x[c]! + centre;
    variance[c] = Math.max(0, sums[channels + c]! / rows - centre * centre);
  }
};

export const channelAffine: Kernels['channelAffine'] = (x, scale, shift, residual, low, high, y, rows, channels) => {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  for (let i = 0; i < rows * channels; i++) {
    const c = i % channels;
    let value = Math.fround(Math.fround(x[i]! * scale[c]!) + shift[c]!);
    if (residual.length > 0) value = Math.fround(value + residual[i]!);
    y[i] = value < bottom ? bottom : value > top ? top : value;
  }
};

export const batchNormBackward: Kernels['batchNormBackward'] = (
  x,
  y,
  direct,
  sloped,
  slope,
  p0,
  p1,
  low,
  high,
  mean,
  invStd,
  gamma,
  g,
  dx,
  dgamma,
  dbeta,
  rows,
  channels,
) => {
  const arriving = new Float32Array(rows * channels);
  if (sloped.length > 0) unaryBackward(slope, y, sloped, arriving, p0, p1);
  if (sloped.length === 0) arriving.set(direct.subarray(0, arriving.length));
  else if (direct.length > 0) add(arriving, direct, arriving);
  if (low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY) maskWithin(arriving, y, low, high, arriving);
  g.set(arriving);
  const sums = sumColumns(rows, 2 * channels, (row, part) => {
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      part[c]! += g[i]!;
      part[channels + c]! += fround(g[i]! * fround(x[i]! - mean[c]!));
    }
  });
  // gamma*invStd*(g - sum/n - (x-mean)*invStd^2*dot/n), its factors rounded
  for (let c = 0; c < channels; c++) {
    const [sum, dot] = [sums[c]!, sums[channels + c]!];
    const scale = gamma[c]! * invStd[c]!;
    dbeta[c] = sum;
    dgamma[c] = dot * invStd[c]!;
    const slope = fround((-scale * invStd[c]! * invStd[c]! * dot) / rows);
    const shift = fround((-scale * sum) / rows);
    for (let r = 0; r < rows; r++) {
      const i = r * channels + c;
      const centred = fround(slope * fround(x[i]! - mean[c]!));
      dx[i] = fround(fround(fround(scale) * g[i]!) + centred) + shift;
    }
  }
};

function columnReduce(out: Float32Array, rows: number, channels: number, term: (index: number) => number): void {
  const sums = sumColumns(rows, channels, (row, part) => {
    for (let c = 0; c < channels; c++) part[c]! += fround(term(row * channels + c));
  });
  out.set(sums);
}

export const columnSums: Kernels['columnSums'] = (x, out, rows, channels) => {
  columnReduce(out, rows, channels, (i) => x[i]!);
};

export const columnAbsSums: Kernels['columnAbsSums'] = (x, out, rows, channels) => {
  columnReduce(out, rows, channels, (i) => Math.abs(x[i]!));
};

export const columnDots: Kernels['columnDots'] = (a, b, out, rows, channels) => {
  columnReduce(out, rows, channels, (i) => a[i]! * b[i]!);
};

export const rowAbsMeans: Kernels['rowAbsMeans'] = (x, out, rows, channels) => {
  for (let r = 0; r < rows; r++) out[r] = sumRow(channels, (c) => Math.abs(x[r * channels + c]!)) / channels;
};

export const rowDots: Kernels['rowDots'] = (a, b, out, rows, channels) => {
  for (let r = 0; r < rows; r++) out[r] = sumRow(channels, (c) => a[r * channels + c]! * b[r * channels + c]!);
};

export const rowScale: Kernels['rowScale'] = (x, factor, y, rows, channels) => {
  for (let i = 0; i < rows * channels; i++) y[i] = x[i]! * factor[Math.floor(i / channels)]!;
};
