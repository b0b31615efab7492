import { type Ties, unitCode } from './unit-levels.ts';

/**
 * Few-bit codes of activations by comparison: the code of x is the pattern of how many thresholds are at most x. Bit p of a
 * pattern goes to bit-plane p; the lowest level has pattern 0.
 */
export interface LevelCodes {
  /** Ascending. */
  readonly thresholds: Float32Array;
  /** One more than thresholds. */
  readonly patterns: Int32Array;
}

/** Level i has code i: 2^bits evenly spaced levels. */
export function plainCodes(thresholds: Float32Array): LevelCodes {
  return { thresholds, patterns: Int32Array.from({ length: thresholds.length + 1 }, (_, i) => i) };
}

export const planeCount = ({ patterns }: LevelCodes): number =>
  Math.max(1, 32 - Math.clz32(patterns.reduce((a, b) => a | b, 0)));

/** step * pattern of every value, as floats. */
export function decodeLevels(x: Float32Array, codes: LevelCodes, step: number, y: Float32Array): void {
  const { thresholds, patterns } = codes;
  for (let i = 0; i < y.length; i++) {
    let level = 0;
    while (level < thresholds.length && x[i]! >= thresholds[level]!) level++;
    y[i] = patterns[level]! * step;
  }
}

/** The next float32 above one that is not negative: `x > value` as `x >= nextFloat(value)`. */
export function nextFloat(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(Uint32Array.of(bits[0]! + 1).buffer)[0]!;
}

/**
 * round(clip(x,0,1)(2^bits - 1)) as comparisons: the least float32 that each code is rounded to.
 *
 * Source: Zhou 2016 (DoReFa), eq. 5.
 */
export function unitCodes(bits: number, ties?: Ties): LevelCodes {
  const levels = 2 ** bits - 1;
  const thresholds = Float32Array.from({ length: levels }, (_, i) => {
    // a few float32 below the border, then upwards: a product rounded to float32 may be half-way without its factors being so
    const pattern = new Uint32Array(Float32Array.of((i + 0.5) / levels).buffer);
    const candidate = new Float32Array(pattern.buffer);
    for (pattern[0]! -= 4; unitCode(candidate[0]!, bits, ties) <= i; ) pattern[0]!++;
    return candidate[0]!;
  });
  return plainCodes(thresholds);
}
