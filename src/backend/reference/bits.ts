import { wordsPerRow } from '../../core/bits.ts';
import type { Kernels } from '../kernels.ts';

/** Packs `rows` x `channels` booleans; unused bits are 0. */
function packWhere(
  words: Uint32Array,
  rows: number,
  channels: number,
  test: (row: number, channel: number) => boolean,
): void {
  const stride = wordsPerRow(channels);
  words.fill(0, 0, rows * stride);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) if (test(row, c)) words[row * stride + (c >>> 5)]! |= 1 << (c & 31);
}

/** The bit of one channel of one row. */
export function bitAt(words: Uint32Array, row: number, channels: number, channel: number): boolean {
  return ((words[row * wordsPerRow(channels) + (channel >>> 5)]! >>> (channel & 31)) & 1) === 1;
}

export const packSigns: Kernels['packSigns'] = (x, words, rows, channels) => {
  packWhere(words, rows, channels, (row, c) => x[row * channels + c]! < 0);
};

export const packAffineSigns: Kernels['packAffineSigns'] = (x, scale, shift, words, rows, channels) => {
  packWhere(
    words,
    rows,
    channels,
    (row, c) => Math.fround(Math.fround(x[row * channels + c]! * scale[c]!) + shift[c]!) < 0,
  );
};

export const packWithin: Kernels['packWithin'] = (x, low, high, words, rows, channels) => {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  packWhere(words, rows, channels, (row, c) => x[row * channels + c]! >= bottom && x[row * channels + c]! <= top);
};

export const unpackSigns: Kernels['unpackSigns'] = (words, y, rows, channels) => {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) y[row * channels + c] = bitAt(words, row, channels, c) ? -1 : 1;
};

export const maskBits: Kernels['maskBits'] = (dy, words, dx, rows, channels) => {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      dx[i] = bitAt(words, row, channels, c) ? dy[i]! : 0;
    }
};

export const packFilterSigns: Kernels['packFilterSigns'] = (w, words, taps, inChannels, outChannels) => {
  packWhere(words, outChannels * taps, inChannels, (row, ci) => {
    const [co, tap] = [Math.floor(row / taps), row % taps];
    return w[(tap * inChannels + ci) * outChannels + co]! < 0;
  });
};
