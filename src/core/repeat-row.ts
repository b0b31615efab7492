/** Repeats a row over the whole array, by copies that double. */
export function repeatRow(row: Float32Array, out: Float32Array): Float32Array {
  out.set(row.subarray(0, Math.min(row.length, out.length)));
  for (let done = row.length; done < out.length; done *= 2) out.copyWithin(done, 0, Math.min(done, out.length - done));
  return out;
}
