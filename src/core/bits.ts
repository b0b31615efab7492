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

/** How many bits of two packed arrays differ. */
export function differingBits(a: Uint32Array, b: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    let word = a[i]! ^ b[i]!;
    // sums of 2, of 4, then of 8 neighbouring bits, and their total by one multiplication
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    word = (word + (word >>> 4)) & 0x0f0f0f0f;
    total += Math.imul(word, 0x01010101) >>> 24;
  }
  return total;
}
