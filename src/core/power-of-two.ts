const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);
const mantissaMask = 0x7fffff;
/** Mantissa of sqrt(2), where the logarithm rounds up. */
const halfway = 0x3504f3;

/** AP2(x) = sign(x) 2^round(log2|x|), a factor that is a shift; 0 stays 0. Source: Hubara 2016, sec. 3.3 (alg. 3). */
export function nearestPowerOfTwo(x: number): number {
  single[0] = x;
  const word = bits[0]!;
  // below the normal range the result is as good as 0
  if ((word & 0x7f800000) === 0) return 0;
  bits[0] = (word & ~mantissaMask) + ((word & mantissaMask) > halfway ? 0x800000 : 0);
  return single[0]!;
}

/** The same for a whole array of float32 bits; values below the normal range may also become the smallest normal one. */
export function nearestPowersOfTwo(words: Int32Array): void {
  // a mantissa above the halfway mark carries into the exponent
  const carry = mantissaMask - halfway;
  for (let i = 0; i < words.length; i++) words[i] = (words[i]! + carry) & ~mantissaMask;
}
