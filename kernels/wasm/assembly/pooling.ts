import { readPool } from './geometry';

export function maxPool(x: usize, y: usize, indices: usize, geometry: usize): void {
  const g = readPool(geometry);
  for (let n = 0; n < g.batch; n++) for (let oy = 0; oy < g.outHeight; oy++) for (let ox = 0; ox < g.outWidth; ox++) {
    const out = ((n * g.outHeight + oy) * g.outWidth + ox) * g.channels;
    const top = oy * g.stride - g.pad, left = ox * g.stride - g.pad;
    let first = true;
    for (let iy = max(0, top); iy < min(g.height, top + g.window); iy++) for (let ix = max(0, left); ix < min(g.width, left + g.window); ix++) {
      const from = ((n * g.height + iy) * g.width + ix) * g.channels;
      for (let c = 0; c < g.channels; c++) {
        const value = load<f32>(x + (<usize>(from + c) << 2)), best = y + (<usize>(out + c) << 2);
        if (first || value > load<f32>(best)) {
          store<f32>(best, value);
          store<i32>(indices + (<usize>(out + c) << 2), from + c);
        }
      }
      first = false;
    }
  }
}

export function maxPoolBackward(dy: usize, indices: usize, dx: usize, geometry: usize): void {
  const g = readPool(geometry);
  const size = g.batch * g.height * g.width * g.channels;
  memory.fill(dx, 0, <usize>size << 2);
  for (let o = 0; o < g.batch * g.outHeight * g.outWidth * g.channels; o++) {
    const i = load<u32>(indices + (<usize>o << 2));
    if (i >= <u32>size) continue;
    const to = dx + (<usize>i << 2);
    store<f32>(to, load<f32>(to) + load<f32>(dy + (<usize>o << 2)));
  }
}

function average(x: usize, y: usize, geometry: usize, backward: bool): void {
  const g = readPool(geometry);
  for (let n = 0; n < g.batch; n++) for (let oy = 0; oy < g.outHeight; oy++) for (let ox = 0; ox < g.outWidth; ox++) {
    const out = ((n * g.outHeight + oy) * g.outWidth + ox) * g.channels;
    const top = max(0, oy * g.stride - g.pad), left = max(0, ox * g.stride - g.pad);
    const bottom = min(g.height, oy * g.stride - g.pad + g.window), right = min(g.width, ox * g.stride - g.pad + g.window);
    const count = <f32>((bottom - top) * (right - left));
    for (let c = 0; c < g.channels; c++) {
      let sum: f32 = 0;
      const o = y + (<usize>(out + c) << 2);
      const share = backward ? load<f32>(o) / count : 0;
      for (let iy = top; iy < bottom; iy++) for (let ix = left; ix < right; ix++) {
        const i = x + (<usize>(((n * g.height + iy) * g.width + ix) * g.channels + c) << 2);
        if (backward) store<f32>(i, load<f32>(i) + share);
        else sum += load<f32>(i);
      }
      if (!backward) store<f32>(o, sum / count);
    }
  }
}

export function avgPool(x: usize, y: usize, geometry: usize): void {
  average(x, y, geometry, false);
}

export function avgPoolBackward(dy: usize, dx: usize, geometry: usize): void {
  const g = readPool(geometry);
  memory.fill(dx, 0, <usize>(g.batch * g.height * g.width * g.channels) << 2);
  average(dx, dy, geometry, true);
}
