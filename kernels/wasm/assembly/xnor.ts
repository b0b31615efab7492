// XNOR-popcount convolution by tables of nibbles, as kernels/native/xnor_nibbles.inl explains: four activation bits choose a table
// for two neighbouring output pixels, a byte swizzle looks 16 outputs' weight nibbles up in it. 2 pixels by 32 outputs at a time.
import { Conv, readConv } from './geometry';
import { workspace, wordsPerRow } from './workspace';

const panel = 32;
const flushAfter = 63; // 63 nibbles of at most 4 fit a byte
const tables: usize = memory.data(4096, 16);
let tablesReady = false;

function prepareTables(): void {
  if (tablesReady) return;
  for (let pair = 0; pair < 256; pair++)
    for (let i = 0; i < 16; i++) store<u8>(tables + pair * 16 + i, <u8>(popcnt((pair & 15) ^ i) + 16 * popcnt((pair >> 4) ^ i)));
  tablesReady = true;
}

@inline function lookUp(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index);
  return i8x16.swizzle(table, index);
}

@inline function unitsPerRow(channels: i32): i32 {
  return (channels + 3) >> 2;
}

@inline function nibble(row: usize, unit: i32): u32 {
  return (load<u32>(row + (<usize>(unit >> 3) << 2)) >> (4 * (unit & 7))) & 15;
}

function panelBytes(g: Conv): i32 {
  return g.kernelHeight * g.kernelWidth * unitsPerRow(g.inChannels / g.groups) * panel;
}

function groupPanels(g: Conv): i32 {
  return (g.outChannels / g.groups + panel - 1) / panel;
}

export function prepareXnorFilter(words: usize, prepared: usize, geometry: usize): void {
  const g = readConv(geometry);
  const groupIn = g.inChannels / g.groups, groupOut = g.outChannels / g.groups, taps = g.kernelHeight * g.kernelWidth;
  const stride = <usize>wordsPerRow(groupIn) << 2, units = unitsPerRow(groupIn), panels = groupPanels(g), bytes = <usize>panelBytes(g);
  for (let p = 0; p < g.groups * panels; p++)
    for (let o = 0; o < panel; o++) {
      const inGroup = (p % panels) * panel + o;
      const row = words + <usize>((p / panels) * groupOut + inGroup) * taps * stride;
      for (let tap = 0; tap < taps; tap++)
        for (let u = 0; u < units; u++) {
          const value = inGroup < groupOut ? nibble(row + <usize>tap * stride, u) : 0;
          store<u8>(prepared + <usize>p * bytes + <usize>((tap * units + u) * panel + o), value);
        }
    }
  // sums of the filter's signs per tap, for zero padding
  const sums = prepared + <usize>(g.groups * panels) * bytes;
  for (let o = 0; o < g.outChannels; o++)
    for (let tap = 0; tap < taps; tap++) {
      let negatives = 0;
      for (let w: usize = 0; w < stride; w += 4) negatives += popcnt(load<i32>(words + (<usize>(o * taps + tap)) * stride + w));
      store<i32>(sums + (<usize>(tap * g.outChannels + o) << 2), groupIn - 2 * negatives);
    }
}

let offsets: usize = 0; // bytes from an output's first input pixel to each tap
let tapCount = 0;
let units = 0;

@inline function flush(counts: v128, sums: usize): void {
  v128.store(sums, i16x8.add(v128.load(sums), i16x8.extend_low_i8x16_u(counts)));
  v128.store(sums, i16x8.add(v128.load(sums, 16), i16x8.extend_high_i8x16_u(counts)), 16);
}

@inline function tableAt(unit: usize): v128 {
  return v128.load(tables + <usize>load<u16>(unit));
}

/** sums[2 pixels][32] of popcounts; `image` holds pairs, so the second pixel needs no address of its own. */
function tile(image: usize, weights: usize, sums: usize): void {
  const zero = i64x2.splat(0);
  memory.fill(sums, 0, 128);
  // `both` counts low + 16 high modulo 256, `high` the second pixel alone; their difference is the first
  let both0 = zero, both1 = zero, high0 = zero, high1 = zero;
  let room = flushAfter;
  for (let t = 0; t < tapCount; t++) {
    let a = image + <usize>load<i32>(offsets + (<usize>t << 2));
    for (let done = 0; done < units; ) {
      if (room == 0) {
        flush(i8x16.sub(both0, i8x16.shl(high0, 4)), sums); flush(i8x16.sub(both1, i8x16.shl(high1, 4)), sums + 32);
        flush(high0, sums + 64); flush(high1, sums + 96);
        both0 = zero; both1 = zero; high0 = zero; high1 = zero;
        room = flushAfter;
      }
      const steps = min(room, units - done);
      let s = 0;
      // three look-ups, at most 12 per half, before the halves are separated
      for (; s + 3 <= steps; s += 3, a += 6, weights += 3 * panel) {
        let table = tableAt(a);
        let sum0 = lookUp(table, v128.load(weights)), sum1 = lookUp(table, v128.load(weights, 16));
        table = tableAt(a + 2);
        sum0 = i8x16.add(sum0, lookUp(table, v128.load(weights, 32))); sum1 = i8x16.add(sum1, lookUp(table, v128.load(weights, 48)));
        table = tableAt(a + 4);
        sum0 = i8x16.add(sum0, lookUp(table, v128.load(weights, 64))); sum1 = i8x16.add(sum1, lookUp(table, v128.load(weights, 80)));
        both0 = i8x16.add(both0, sum0); both1 = i8x16.add(both1, sum1);
        high0 = i8x16.add(high0, i8x16.shr_u(sum0, 4)); high1 = i8x16.add(high1, i8x16.shr_u(sum1, 4));
      }
      for (; s < steps; s++, a += 2, weights += panel) {
        const table = tableAt(a);
        const sum0 = lookUp(table, v128.load(weights)), sum1 = lookUp(table, v128.load(weights, 16));
        both0 = i8x16.add(both0, sum0); both1 = i8x16.add(both1, sum1);
        high0 = i8x16.add(high0, i8x16.shr_u(sum0, 4)); high1 = i8x16.add(high1, i8x16.shr_u(sum1, 4));
      }
      room -= steps;
      done += steps;
    }
  }
  flush(i8x16.sub(both0, i8x16.shl(high0, 4)), sums); flush(i8x16.sub(both1, i8x16.shl(high1, 4)), sums + 32);
  flush(high0, sums + 64); flush(high1, sums + 96);
}

/**
 * Writes one image as table offsets (16 times the nibbles of a pixel and of its right neighbour `step` units on), padded with zero
 * bits: uint16 [group][pixel][unit], and `step` zero units behind.
 */
function expandImage(g: Conv, words: usize, out: usize, step: i32): void {
  const paddedWidth = g.width + 2 * g.pad, paddedHeight = g.height + 2 * g.pad, groupIn = g.inChannels / g.groups;
  const rowBytes = <usize>wordsPerRow(g.inChannels) << 2;
  const total = paddedWidth * paddedHeight * units * g.groups;
  memory.fill(out, 0, <usize>(total + step) << 1);
  for (let group = 0; group < g.groups; group++)
    for (let y = 0; y < g.height; y++)
      for (let x = 0; x < g.width; x++) {
        const row = words + <usize>(y * g.width + x) * rowBytes;
        let to = out + (<usize>(((group * paddedHeight + y + g.pad) * paddedWidth + x + g.pad) * units) << 1);
        if (g.groups == 1) {
          for (let u = 0; u < units; u++, to += 2) store<u16>(to, nibble(row, u) << 4);
          continue;
        }
        for (let c = 0; c < groupIn; c++) {
          const channel = group * groupIn + c;
          const bit = (load<u32>(row + (<usize>(channel >> 5) << 2)) >> (channel & 31)) & 1;
          const at = to + (<usize>(c >> 2) << 1);
          store<u16>(at, load<u16>(at) | <u16>(bit << (4 + (c & 3))));
        }
      }
  const ahead = <usize>step << 1;
  for (let i = 0; i < total; i++, out += 2) store<u16>(out, load<u16>(out) | (load<u16>(out + ahead) << 4));
}

/** Subtracts the filter signs of taps outside the image: they were counted as +1. */
function dropBorder(g: Conv, sums: usize, oy: i32, ox: i32, dots: usize): void {
  for (let ky = 0; ky < g.kernelHeight; ky++)
    for (let kx = 0; kx < g.kernelWidth; kx++) {
      const iy = oy * g.stride - g.pad + ky * g.dilation, ix = ox * g.stride - g.pad + kx * g.dilation;
      if (iy >= 0 && iy < g.height && ix >= 0 && ix < g.width) continue;
      const from = sums + (<usize>((ky * g.kernelWidth + kx) * g.outChannels) << 2);
      for (let c = 0; c < g.outChannels; c++) {
        const at = dots + (<usize>c << 2);
        store<i32>(at, load<i32>(at) - load<i32>(from + (<usize>c << 2)));
      }
    }
}

// What happens to the dots of one output pixel.
const asIntegers = 0, asFloats = 1, asBits = 2;
let emitKind = 0;
let emitOut: usize = 0, emitA: usize = 0, emitB: usize = 0, emitC: usize = 0;

function emit(pixel: i32, dots: usize, channels: i32): void {
  if (emitKind == asIntegers) {
    memory.copy(emitOut + (<usize>(pixel * channels) << 2), dots, <usize>channels << 2);
    return;
  }
  if (emitKind == asFloats) {
    const out = emitOut + (<usize>(pixel * channels) << 2);
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = <usize>c << 2;
      let v = f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots + at)), v128.load(emitA + at));
      if (emitB) v = f32x4.add(f32x4.mul(v, v128.load(emitB + at)), v128.load(emitC + at));
      v128.store(out + at, v);
    }
    for (; c < channels; c++) {
      const at = <usize>c << 2;
      let v = <f32>load<i32>(dots + at) * load<f32>(emitA + at);
      if (emitB) v = v * load<f32>(emitB + at) + load<f32>(emitC + at);
      store<f32>(out + at, v);
    }
    return;
  }
  const stride = wordsPerRow(channels);
  const out = emitOut + (<usize>(pixel * stride) << 2);
  memory.fill(out, 0, <usize>stride << 2);
  for (let c = 0; c < channels; c++) {
    const at = <usize>c << 2;
    const dot = load<i32>(dots + at), bound = load<i32>(emitA + at);
    const negative = load<i32>(emitB + at) ? dot > bound : dot < bound;
    const word = out + (<usize>(c >> 5) << 2);
    store<u32>(word, load<u32>(word) | (u32(negative) << (c & 31)));
  }
}

/** out[c] = reach - 2*sums[c] */
function emitDots(out: usize, sums: usize, reach: i32, channels: i32): void {
  const most = i32x4.splat(reach);
  let c = 0;
  for (; c + 8 <= channels; c += 8, out += 32, sums += 16) {
    const count = v128.load(sums);
    v128.store(out, i32x4.sub(most, i32x4.shl(i32x4.extend_low_i16x8_u(count), 1)));
    v128.store(out, i32x4.sub(most, i32x4.shl(i32x4.extend_high_i16x8_u(count), 1)), 16);
  }
  for (; c < channels; c++, out += 4, sums += 2) store<i32>(out, reach - 2 * <i32>load<u16>(sums));
}

function convolve(x: usize, filter: usize, g: Conv, zeroPad: bool): void {
  prepareTables();
  const groupIn = g.inChannels / g.groups, groupOut = g.outChannels / g.groups, taps = g.kernelHeight * g.kernelWidth;
  const paddedWidth = g.width + 2 * g.pad, paddedHeight = g.height + 2 * g.pad;
  const panels = groupPanels(g), bytes = <usize>panelBytes(g), tapSums = filter + <usize>(g.groups * panels) * bytes;
  units = unitsPerRow(groupIn);
  tapCount = taps;
  offsets = workspace(<usize>taps << 2);
  for (let ky = 0; ky < g.kernelHeight; ky++)
    for (let kx = 0; kx < g.kernelWidth; kx++)
      store<i32>(offsets + (<usize>(ky * g.kernelWidth + kx) << 2), 2 * (ky * paddedWidth + kx) * g.dilation * units);
  const step = g.stride * units, reach = taps * groupIn;
  const groupImage = <usize>(paddedWidth * paddedHeight * units) << 1;
  // a last odd pixel is computed with a neighbour that may lie beyond the image
  const image = workspace(groupImage * g.groups + (<usize>step << 2));
  const dots = workspace(<usize>(g.outWidth * g.outChannels) << 2);
  const sums = workspace(128);
  const imageBytes = <usize>(g.height * g.width * wordsPerRow(g.inChannels)) << 2;
  for (let n = 0; n < g.batch; n++) {
    expandImage(g, x + <usize>n * imageBytes, image, step);
    for (let oy = 0; oy < g.outHeight; oy++) {
      const row = image + (<usize>(oy * g.stride * paddedWidth * units) << 1);
      for (let group = 0; group < g.groups; group++)
        for (let p = 0; p < panels; p++) {
          const weights = filter + <usize>(group * panels + p) * bytes;
          const channels = min(panel, groupOut - p * panel);
          for (let ox = 0; ox < g.outWidth; ox += 2) {
            tile(row + <usize>group * groupImage + (<usize>(ox * step) << 1), weights, sums);
            const pixels = min(2, g.outWidth - ox);
            for (let i = 0; i < pixels; i++) emitDots(dots + (<usize>((ox + i) * g.outChannels + group * groupOut + p * panel) << 2), sums + <usize>(i * 64), reach, channels);
          }
        }
      for (let ox = 0; ox < g.outWidth; ox++) {
        const dot = dots + (<usize>(ox * g.outChannels) << 2);
        if (zeroPad && g.pad > 0) dropBorder(g, tapSums, oy, ox, dot);
        emit((n * g.outHeight + oy) * g.outWidth + ox, dot, g.outChannels);
      }
    }
  }
}

export function xnorConv2d(x: usize, filter: usize, out: usize, geometry: usize, zeroPad: i32): void {
  emitKind = asIntegers; emitOut = out;
  convolve(x, filter, readConv(geometry), zeroPad != 0);
}

export function xnorConv2dScaled(x: usize, filter: usize, alpha: usize, scale: usize, shift: usize, out: usize, geometry: usize, zeroPad: i32, scaleLength: i32): void {
  emitKind = asFloats; emitOut = out; emitA = alpha; emitB = scaleLength > 0 ? scale : 0; emitC = shift;
  convolve(x, filter, readConv(geometry), zeroPad != 0);
}

export function xnorConv2dThreshold(x: usize, filter: usize, threshold: usize, flip: usize, out: usize, geometry: usize, zeroPad: i32): void {
  emitKind = asBits; emitOut = out; emitA = threshold; emitB = flip;
  convolve(x, filter, readConv(geometry), zeroPad != 0);
}

/** A convolution over an image of one row: every row of `a` is a pixel. */
export function xnorGemm(a: usize, b: usize, out: usize, m: i32, n: i32, k: i32): void {
  const g = workspace(13 * 4);
  for (let i = 0; i < 13; i++) store<i32>(g + (<usize>i << 2), 1);
  store<i32>(g, m, 8); // width
  store<i32>(g, k, 12); // input channels
  store<i32>(g, n, 24); // output channels
  store<i32>(g, 0, 32); // pad
  store<i32>(g, m, 48); // output width
  const prepared = workspace(<usize>(((n + panel - 1) / panel) * unitsPerRow(k) * panel + 4 * n + 4));
  prepareXnorFilter(b, prepared, g);
  xnorConv2d(a, prepared, out, g, 1);
}
