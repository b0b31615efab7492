import type { PoolGeometry } from '../../core/conv-geometry.ts';
import type { Kernels } from '../kernels.ts';

/** Calls `visit` for every output element with the input offsets of its window (inside the image only, row by row). */
function forEachWindow(g: PoolGeometry, visit: (output: number, inputs: number[]) => void): void {
  let output = 0;
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let c = 0; c < g.channels; c++) {
          const inputs: number[] = [];
          for (let ky = 0; ky < g.window; ky++)
            for (let kx = 0; kx < g.window; kx++) {
              const iy = oy * g.stride - g.pad + ky;
              const ix = ox * g.stride - g.pad + kx;
              if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
              inputs.push(((n * g.height + iy) * g.width + ix) * g.channels + c);
            }
          visit(output++, inputs);
        }
}

export const maxPool: Kernels['maxPool'] = (x, y, indices, g) => {
  forEachWindow(g, (output, inputs) => {
    let best = inputs[0]!;
    for (const input of inputs) if (x[input]! > x[best]!) best = input;
    y[output] = x[best]!;
    indices[output] = best;
  });
};

export const maxPoolBackward: Kernels['maxPoolBackward'] = (dy, indices, dx, g) => {
  dx.fill(0, 0, g.batch * g.height * g.width * g.channels);
  const outputs = g.batch * g.outHeight * g.outWidth * g.channels;
  for (let o = 0; o < outputs; o++) dx[indices[o]!]! += dy[o]!;
};

export const avgPool: Kernels['avgPool'] = (x, y, g) => {
  forEachWindow(g, (output, inputs) => {
    let sum = 0;
    for (const input of inputs) sum = Math.fround(sum + x[input]!);
    y[output] = sum / inputs.length;
  });
};

export const avgPoolBackward: Kernels['avgPoolBackward'] = (dy, dx, g) => {
  dx.fill(0, 0, g.batch * g.height * g.width * g.channels);
  forEachWindow(g, (output, inputs) => {
    for (const input of inputs) dx[input]! += Math.fround(dy[output]! / inputs.length);
  });
};
