import { wordsPerRow } from './workspace';

@inline function signMask(v: v128): i32 {
  return i32x4.bitmask(f32x4.lt(v, f32x4.splat(0)));
}

export function packSigns(x: usize, words: usize, rows: i32, channels: i32): void {
  const stride = wordsPerRow(channels);
  for (let r = 0; r < rows; r++) {
    const out = words + (<usize>(r * stride) << 2);
    memory.fill(out, 0, <usize>stride << 2);
    let c = 0;
    for (; c + 32 <= channels; c += 32) {
      let word = 0;
      for (let i = 0; i < 32; i += 4) word |= signMask(v128.load(x + (<usize>i << 2))) << i;
      store<i32>(out + (<usize>(c >> 5) << 2), word);
      x += 128;
    }
    for (; c < channels; c++, x += 4) {
      const at = out + (<usize>(c >> 5) << 2);
      store<u32>(at, load<u32>(at) | (u32(load<f32>(x) < 0) << (c & 31)));
    }
  }
}

export function packAffineSigns(x: usize, scale: usize, shift: usize, words: usize, rows: i32, channels: i32): void {
  const stride = wordsPerRow(channels);
  for (let r = 0; r < rows; r++) {
    const out = words + (<usize>(r * stride) << 2);
    memory.fill(out, 0, <usize>stride << 2);
    let c = 0;
    for (; c + 4 <= channels; c += 4, x += 16) {
      const at = <usize>c << 2;
      const mask = signMask(f32x4.add(f32x4.mul(v128.load(x), v128.load(scale + at)), v128.load(shift + at)));
      const word = out + (<usize>(c >> 5) << 2);
      store<i32>(word, load<i32>(word) | (mask << (c & 31)));
    }
    for (; c < channels; c++, x += 4) {
      const at = <usize>c << 2;
      const word = out + (<usize>(c >> 5) << 2);
      store<u32>(word, load<u32>(word) | (u32(load<f32>(x) * load<f32>(scale + at) + load<f32>(shift + at) < 0) << (c & 31)));
    }
  }
}

export function packWithin(x: usize, low: f32, high: f32, words: usize, rows: i32, channels: i32): void {
  const stride = wordsPerRow(channels);
  memory.fill(words, 0, <usize>(rows * stride) << 2);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < channels; c++, x += 4) {
      const value = load<f32>(x);
      const at = words + (<usize>(r * stride + (c >> 5)) << 2);
      store<u32>(at, load<u32>(at) | (u32(value >= low && value <= high) << (c & 31)));
    }
}

@inline export function bitOf(words: usize, channel: i32): u32 {
  return (load<u32>(words + (<usize>(channel >> 5) << 2)) >> (channel & 31)) & 1;
}

export function unpackSigns(words: usize, y: usize, rows: i32, channels: i32): void {
  const stride = <usize>wordsPerRow(channels) << 2;
  for (let r = 0; r < rows; r++, words += stride)
    for (let c = 0; c < channels; c++, y += 4) store<u32>(y, 0x3f800000 | (bitOf(words, c) << 31));
}

export function maskBits(dy: usize, words: usize, dx: usize, rows: i32, channels: i32): void {
  const stride = <usize>wordsPerRow(channels) << 2;
  for (let r = 0; r < rows; r++, words += stride)
    for (let c = 0; c < channels; c++, dy += 4, dx += 4) store<f32>(dx, bitOf(words, c) ? load<f32>(dy) : 0);
}

export function packFilterSigns(w: usize, words: usize, taps: i32, inChannels: i32, outChannels: i32): void {
  const stride = wordsPerRow(inChannels);
  memory.fill(words, 0, <usize>(outChannels * taps * stride) << 2);
  for (let tap = 0; tap < taps; tap++)
    for (let ci = 0; ci < inChannels; ci++)
      for (let co = 0; co < outChannels; co++, w += 4) {
        const at = words + (<usize>((co * taps + tap) * stride + (ci >> 5)) << 2);
        store<u32>(at, load<u32>(at) | (u32(load<f32>(w) < 0) << (ci & 31)));
      }
}
