/**
 * The q-bit copy that predicts: whole steps of max|x|/(2^(q-1) - 1); for one bit mean|x| times the sign.
 *
 * @returns a new array
 * Source: Cao 2019 (SeerNet), sec. 3.2; survey [123]
 */
export function lowBitCopy(x: Float32Array, bits: number): Float32Array {
  if (bits === 1) {
    const mean = x.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, x.length);
    return x.map((value) => (value < 0 ? -mean : mean));
  }
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return x.slice();
  const step = largest / (2 ** (bits - 1) - 1);
  return x.map((value) => step * Math.round(value / step));
}
