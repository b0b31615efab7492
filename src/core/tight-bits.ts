import { wordsFor, wordsPerRow } from './bits.ts';

/**
 * Files hold packed rows of signs (see bits.ts) bit after bit, without the padding of their words: a filter over 16 channels would
 * take four times its bits.
 */
export const tightBytes = (rows: number, channels: number): number => Math.ceil((rows * channels) / 8);

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** Copies bits to where only zeros are; by whole bytes where both sides begin at one. */
function copyBits(from: Uint8Array, fromBit: number, to: Uint8Array, toBit: number, count: number): void {
  let done = 0;
  if (fromBit % 8 === 0 && toBit % 8 === 0) {
    const whole = count >> 3;
    to.set(from.subarray(fromBit >> 3, (fromBit >> 3) + whole), toBit >> 3);
    done = 8 * whole;
  }
  for (; done < count; done++) {
    const [source, target] = [fromBit + done, toBit + done];
    to[target >> 3]! |= ((from[source >> 3]! >> (source & 7)) & 1) << (target & 7);
  }
}

/** @param words [rows, words(channels)] @returns their `rows * channels` bits, the last byte filled up with zeros */
export function tighten(words: Uint32Array, rows: number, channels: number): Uint8Array {
  const [padded, tight] = [bytesOf(words), new Uint8Array(tightBytes(rows, channels))];
  const rowBits = 32 * wordsPerRow(channels);
  for (let row = 0; row < rows; row++) copyBits(padded, row * rowBits, tight, row * channels, channels);
  return tight;
}

/** The words [rows, words(channels)] that `tighten` was given: whatever a file says, their padding is zero. */
export function loosen(tight: Uint8Array, rows: number, channels: number): Uint32Array {
  const words = new Uint32Array(wordsFor(rows, channels));
  const [padded, rowBits] = [bytesOf(words), 32 * wordsPerRow(channels)];
  for (let row = 0; row < rows; row++) copyBits(tight, row * channels, padded, row * rowBits, channels);
  return words;
}
