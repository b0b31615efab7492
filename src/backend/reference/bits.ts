import { wordsPerRow } from '../../core/bits.ts';

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

export function packSigns(x: Float32Array, words: Uint32Array, rows: number, channels: number): void {
  packWhere(words, rows, channels, (row, c) => x[row * channels + c]! < 0);
}

export function packAffineSigns(
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  words: Uint32Array,
  rows: number,
  channels: number,
): void {
  packWhere(
    words,
    rows,
    channels,
    (row, c) => Math.fround(Math.fround(x[row * channels + c]! * scale[c]!) + shift[c]!) < 0,
  );
}

export function packWithin(
  x: Float32Array,
  low: number,
  high: number,
  words: Uint32Array,
  rows: number,
  channels: number,
): void {
  const [bottom, top] = [Math.fround(low), Math.fround(high)];
  packWhere(words, rows, channels, (row, c) => x[row * channels + c]! >= bottom && x[row * channels + c]! <= top);
}

export function unpackSigns(words: Uint32Array, y: Float32Array, rows: number, channels: number): void {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) y[row * channels + c] = bitAt(words, row, channels, c) ? -1 : 1;
}

export function maskBits(dy: Float32Array, words: Uint32Array, dx: Float32Array, rows: number, channels: number): void {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < channels; c++) {
      const i = row * channels + c;
      dx[i] = bitAt(words, row, channels, c) ? dy[i]! : 0;
    }
}

export function packFilterSigns(
  w: Float32Array,
  words: Uint32Array,
  taps: number,
  inChannels: number,
  outChannels: number,
): void {
  packWhere(words, outChannels * taps, inChannels, (row, ci) => {
    const [co, tap] = [Math.floor(row / taps), row % taps];
    return w[(tap * inChannels + ci) * outChannels + co]! < 0;
  });
}
