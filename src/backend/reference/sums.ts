/**
 * The one order in which every backend adds floats along rows and columns: it depends on the shape alone, so that a sum before a sign
 * is the same on every machine. (Matrix products and convolutions of floats have one among native instruction sets only: ARCHITECTURE.md.)
 */

const chunkRows = 64;
const mostChunks = 32;

/**
 * Sums of columns: the rows are cut into up to 32 chunks of at least 64, each summed in float32 row by row, the chunks in float64.
 *
 * @param add adds the terms of one row, each rounded to float32, to `part` [width]
 */
export function sumColumns(rows: number, width: number, add: (row: number, part: Float32Array) => void): Float64Array {
  const chunks = Math.max(1, Math.min(mostChunks, Math.floor(rows / chunkRows)));
  const first = (chunk: number) => Math.floor((rows * chunk) / chunks);
  const totals = new Float64Array(width);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const part = new Float32Array(width);
    for (let row = first(chunk); row < first(chunk + 1); row++) add(row, part);
    for (let i = 0; i < width; i++) totals[i]! += part[i]!;
  }
  return totals;
}

const lanes = 16;

/** Sum of a row, in float32: lane i of 16 adds every 16th term from i on, then halves are folded upon each other. */
export function sumRow(channels: number, term: (channel: number) => number): number {
  const sums = new Float32Array(lanes);
  for (let c = 0; c < channels; c++) sums[c % lanes]! += Math.fround(term(c));
  for (let half = lanes / 2; half >= 1; half /= 2) for (let i = 0; i < half; i++) sums[i]! += sums[i + half]!;
  return sums[0]!;
}
