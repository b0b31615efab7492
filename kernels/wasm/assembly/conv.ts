// Float convolutions as matrix products over im2col, one group and one block of images at a time: a product lays its filter out anew, which
// small images share (dense layers have one pixel each).
import { bitOf } from './bits';
import { Conv, readConv } from './geometry';
import { product } from './gemm';
import { workspace, wordsPerRow } from './workspace';

const fromFloats = 0, fromBits = 1;

/** src/backend/wasm/signatures.ts bounds the workspace by the same. */
const blockPixels = 512;
@inline function imagesOf(g: Conv): i32 { return max(1, min(g.batch, blockPixels / (g.outHeight * g.outWidth))); }

/** columns[image][pixel][tap][groupIn]; outside an image: `border` */
function gather(kind: i32, g: Conv, image: usize, count: i32, group: i32, columns: usize, border: f32): void {
  const groupIn = g.inChannels / g.groups;
  const size = <usize>(g.height * g.width * (kind == fromFloats ? g.inChannels : wordsPerRow(g.inChannels))) << 2;
  for (; count > 0; count--, image += size) for (let oy = 0; oy < g.outHeight; oy++)
    for (let ox = 0; ox < g.outWidth; ox++)
      for (let ky = 0; ky < g.kernelHeight; ky++)
        for (let kx = 0; kx < g.kernelWidth; kx++) {
          const iy = oy * g.stride - g.pad + ky * g.dilation, ix = ox * g.stride - g.pad + kx * g.dilation;
          const inside = iy >= 0 && iy < g.height && ix >= 0 && ix < g.width;
          const pixel = iy * g.width + ix;
          if (!inside) for (let c = 0; c < groupIn; c++) store<f32>(columns + (<usize>c << 2), border);
          else if (kind == fromFloats) memory.copy(columns, image + (<usize>(pixel * g.inChannels + group * groupIn) << 2), <usize>groupIn << 2);
          else {
            const row = image + (<usize>(pixel * wordsPerRow(g.inChannels)) << 2);
            for (let c = 0; c < groupIn; c++) store<u32>(columns + (<usize>c << 2), 0x3f800000 | (bitOf(row, group * groupIn + c) << 31));
          }
          columns += <usize>groupIn << 2;
        }
}

function scatterAdd(g: Conv, columns: usize, group: i32, image: usize): void {
  const groupIn = g.inChannels / g.groups;
  for (let oy = 0; oy < g.outHeight; oy++)
    for (let ox = 0; ox < g.outWidth; ox++)
      for (let ky = 0; ky < g.kernelHeight; ky++)
        for (let kx = 0; kx < g.kernelWidth; kx++, columns += <usize>groupIn << 2) {
          const iy = oy * g.stride - g.pad + ky * g.dilation, ix = ox * g.stride - g.pad + kx * g.dilation;
          if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
          const to = image + (<usize>((iy * g.width + ix) * g.inChannels + group * groupIn) << 2);
          for (let c = 0; c < groupIn; c++) store<f32>(to + (<usize>c << 2), load<f32>(to + (<usize>c << 2)) + load<f32>(columns + (<usize>c << 2)));
        }
}

export function conv2d(x: usize, filter: usize, y: usize, geometry: usize): void {
  const g = readConv(geometry);
  const groupIn = g.inChannels / g.groups, groupOut = g.outChannels / g.groups;
  const reach = g.kernelHeight * g.kernelWidth * groupIn, pixels = g.outHeight * g.outWidth;
  const block = imagesOf(g), columns = workspace(<usize>(block * pixels * reach) << 2);
  for (let n = 0; n < g.batch; n += block)
    for (let group = 0; group < g.groups; group++) {
      const count = min(block, g.batch - n);
      gather(fromFloats, g, x + (<usize>(n * g.height * g.width * g.inChannels) << 2), count, group, columns, 0);
      product(false, false, count * pixels, groupOut, reach, columns, reach, filter + (<usize>(group * groupOut) << 2), g.outChannels, false,
        y + (<usize>(n * pixels * g.outChannels + group * groupOut) << 2), g.outChannels);
    }
}

export function conv2dBackwardInput(dy: usize, filter: usize, dx: usize, geometry: usize): void {
  const g = readConv(geometry);
  const groupIn = g.inChannels / g.groups, groupOut = g.outChannels / g.groups;
  const reach = g.kernelHeight * g.kernelWidth * groupIn, pixels = g.outHeight * g.outWidth;
  const block = imagesOf(g), columns = workspace(<usize>(block * pixels * reach) << 2), image = g.height * g.width * g.inChannels;
  memory.fill(dx, 0, <usize>(g.batch * g.height * g.width * g.inChannels) << 2);
  for (let n = 0; n < g.batch; n += block)
    for (let group = 0; group < g.groups; group++) {
      const count = min(block, g.batch - n);
      product(false, true, count * pixels, reach, groupOut, dy + (<usize>(n * pixels * g.outChannels + group * groupOut) << 2), g.outChannels,
        filter + (<usize>(group * groupOut) << 2), g.outChannels, false, columns, reach);
      for (let i = 0; i < count; i++)
        scatterAdd(g, columns + (<usize>(i * pixels * reach) << 2), group, dx + (<usize>((n + i) * image) << 2));
    }
}

/** alpha[c]*sign as a float filter [taps][in][out] */
function effectiveFilter(g: Conv, filter: usize, alpha: usize): usize {
  const groupIn = g.inChannels / g.groups, taps = g.kernelHeight * g.kernelWidth;
  const floats = workspace(<usize>(taps * groupIn * g.outChannels) << 2);
  for (let co = 0; co < g.outChannels; co++) {
    const scale = load<u32>(alpha + (<usize>co << 2));
    for (let tap = 0; tap < taps; tap++) {
      const row = filter + (<usize>((co * taps + tap) * wordsPerRow(groupIn)) << 2);
      for (let ci = 0; ci < groupIn; ci++)
        store<u32>(floats + (<usize>((tap * groupIn + ci) * g.outChannels + co) << 2), scale ^ (bitOf(row, ci) << 31));
    }
  }
  return floats;
}

export function conv2dSigns(x: usize, filter: usize, alpha: usize, y: usize, geometry: usize): void {
  conv2d(x, effectiveFilter(readConv(geometry), filter, alpha), y, geometry);
}

export function conv2dBackwardInputSigns(dy: usize, filter: usize, alpha: usize, dx: usize, geometry: usize): void {
  conv2dBackwardInput(dy, effectiveFilter(readConv(geometry), filter, alpha), dx, geometry);
}

function backwardFilter(kind: i32, x: usize, imageBytes: usize, dy: usize, dfilter: usize, g: Conv, border: f32): void {
  const groupIn = g.inChannels / g.groups, groupOut = g.outChannels / g.groups;
  const reach = g.kernelHeight * g.kernelWidth * groupIn, pixels = g.outHeight * g.outWidth;
  const block = imagesOf(g), columns = workspace(<usize>(block * pixels * reach) << 2);
  if (g.batch == 0) memory.fill(dfilter, 0, <usize>(reach * g.outChannels) << 2);
  for (let n = 0; n < g.batch; n += block)
    for (let group = 0; group < g.groups; group++) {
      const count = min(block, g.batch - n);
      gather(kind, g, x + <usize>n * imageBytes, count, group, columns, border);
      product(true, false, reach, groupOut, count * pixels, columns, reach, dy + (<usize>(n * pixels * g.outChannels + group * groupOut) << 2),
        g.outChannels, n > 0, dfilter + (<usize>(group * groupOut) << 2), g.outChannels);
    }
}

export function conv2dBackwardFilter(x: usize, dy: usize, dfilter: usize, geometry: usize): void {
  const g = readConv(geometry);
  backwardFilter(fromFloats, x, <usize>(g.height * g.width * g.inChannels) << 2, dy, dfilter, g, 0);
}

export function conv2dBackwardFilterSigns(x: usize, dy: usize, dfilter: usize, geometry: usize, zeroPad: i32): void {
  const g = readConv(geometry);
  backwardFilter(fromBits, x, <usize>(g.height * g.width * wordsPerRow(g.inChannels)) << 2, dy, dfilter, g, zeroPad ? 0 : 1);
}
