/**
 * Signs are stored channel-packed: a row (one pixel, or one filter tap) of `channels` values takes whole 64-bit words, held as
 * pairs of little-endian uint32. Bit = 1 means -1, so `dot = K - 2*popcount(a xor b)`; unused high bits are 0 in both operands
 * and therefore never count.
 */
export function wordsPerRow(channels: number): number {
  return 2 * Math.ceil(channels / 64);
}

/** Number of uint32 words for `rows` rows of `channels` signs. */
export function wordsFor(rows: number, channels: number): number {
  return rows * wordsPerRow(channels);
}
