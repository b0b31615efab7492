/**
 * What every byte of a pixel becomes, channel by channel: (v/255 - mean)/std, rounded once to float32. A look-up takes the place of two
 * divisions; training and packed networks take it from here, so that both see the same bits.
 */
export function pixelTables(mean: readonly number[], std: readonly number[]): Float32Array[] {
  return mean.map((m, c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - m) / std[c]!));
}

/** Pixels, channels last, as floats: one table for each channel. */
export function lookUpPixels(pixels: Uint8Array, tables: readonly Float32Array[]): Float32Array {
  const floats = new Float32Array(pixels.length);
  for (let c = 0; c < tables.length; c++) {
    const table = tables[c]!;
    for (let i = c; i < pixels.length; i += tables.length) floats[i] = table[pixels[i]!]!;
  }
  return floats;
}
