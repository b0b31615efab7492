import type { ConvGeometry } from '../../core/conv-geometry.ts';
import type { Kernels } from '../kernels.ts';

/**
 * Calls `visit` for every product of a convolution: offsets into input, filter and output. Input offset is -1 for a tap on
 * the border (outside the image).
 */
export function forEachProduct(g: ConvGeometry, visit: (input: number, filter: number, output: number) => void): void {
  const groupIn = g.inChannels / g.groups;
  const groupOut = g.outChannels / g.groups;
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const iy = oy * g.stride - g.pad + ky * g.dilation;
            const ix = ox * g.stride - g.pad + kx * g.dilation;
            const inside = iy >= 0 && iy < g.height && ix >= 0 && ix < g.width;
            const pixel = (n * g.height + iy) * g.width + ix;
            const outPixel = (n * g.outHeight + oy) * g.outWidth + ox;
            const tap = ky * g.kernelWidth + kx;
            for (let co = 0; co < g.outChannels; co++) {
              const firstIn = Math.floor(co / groupOut) * groupIn;
              for (let ci = 0; ci < groupIn; ci++) {
                const input = inside ? pixel * g.inChannels + firstIn + ci : -1;
                visit(input, (tap * groupIn + ci) * g.outChannels + co, outPixel * g.outChannels + co);
              }
            }
          }
}

export const conv2d: Kernels['conv2d'] = (x, filter, y, g) => {
  const sums = new Float64Array(g.batch * g.outHeight * g.outWidth * g.outChannels);
  forEachProduct(g, (i, f, o) => {
    if (i >= 0) sums[o]! += x[i]! * filter[f]!;
  });
  y.set(sums);
};

export const conv2dBackwardInput: Kernels['conv2dBackwardInput'] = (dy, filter, dx, g) => {
  const sums = new Float64Array(g.batch * g.height * g.width * g.inChannels);
  forEachProduct(g, (i, f, o) => {
    if (i >= 0) sums[i]! += dy[o]! * filter[f]!;
  });
  dx.set(sums);
};

export const conv2dBackwardFilter: Kernels['conv2dBackwardFilter'] = (x, dy, dfilter, g) => {
  const sums = new Float64Array((g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels) / g.groups);
  forEachProduct(g, (i, f, o) => {
    if (i >= 0) sums[f]! += x[i]! * dy[o]!;
  });
  dfilter.set(sums);
};

export const sgemm: Kernels['sgemm'] = (transposeA, transposeB, m, n, k, a, b, accumulate, c) => {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = accumulate ? c[i * n + j]! : 0;
      for (let l = 0; l < k; l++) {
        sum += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
      }
      c[i * n + j] = sum;
    }
};
