import { wordsPerRow } from '../core/bits.ts';
import type { ConvGeometry } from '../core/conv-geometry.ts';
import type { LevelCodes } from '../core/level-codes.ts';
import type { Kernels } from './kernels.ts';

/**
 * Sums of each filter's signs, for `planeConvolution`.
 *
 * @param words packed filter [outChannels, taps, words]
 * @param reach inputs of one filter
 */
export function filterSignSums(words: Uint32Array, outChannels: number, reach: number): Int32Array {
  const perFilter = words.length / outChannels;
  return Int32Array.from({ length: outChannels }, (_, c) => {
    let negatives = 0;
    for (let i = c * perFilter; i < (c + 1) * perFilter; i++) {
      for (let rest = words[i]!; rest !== 0; rest &= rest - 1) negatives++;
    }
    return reach - 2 * negatives;
  });
}

/**
 * Convolution of k-bit codes q in 0..2^k-1, held as bit-planes, by signs: out = scale[c] * sum of s*q, the sum exact in integers.
 * A plane's bit 1 is stored as "-1", so that sum(s*u) = (sum(s) - dot)/2, and a border tap, u = 0, is the +1 of `one` padding.
 *
 * @param planes lowest bit first; each [N,H,W,words]
 * @param prepared filter of this backend
 * @param signSums of `filterSignSums`
 * @param out [N,OH,OW,Cout]
 * Source: DoReFa-Net, eq. 3 (bit-plane dot products).
 */
export function planeConvolution(
  kernels: Kernels,
  planes: readonly Uint32Array[],
  prepared: Uint32Array,
  signSums: Int32Array,
  scale: Float32Array,
  g: ConvGeometry,
  dots: Int32Array,
  out: Float32Array,
): void {
  const channels = g.outChannels;
  const size = g.batch * g.outHeight * g.outWidth * channels;
  for (const [p, plane] of planes.entries()) {
    kernels.xnorConv2d(plane, prepared, dots, g, 'one');
    const weight = 2 ** p / 2;
    // integers below 2^24 are exact in float32
    for (let i = 0; i < size; i++) {
      const term = weight * (signSums[i % channels]! - dots[i]!);
      out[i] = p === 0 ? term : out[i]! + term;
    }
  }
  for (let i = 0; i < size; i++) out[i] = out[i]! * scale[i % channels]!;
}

/**
 * Bit-plane p of the codes of x, packed: the exclusive or of all comparisons at which that bit changes.
 *
 * @param x [rows,channels]
 * @param scratch as long as `words`
 */
export function packCodePlane(
  kernels: Kernels,
  x: Float32Array,
  { thresholds, patterns }: LevelCodes,
  p: number,
  scratch: Uint32Array,
  words: Uint32Array,
  rows: number,
  channels: number,
): void {
  const length = rows * wordsPerRow(channels);
  words.fill(0, 0, length);
  for (const [i, threshold] of thresholds.entries()) {
    if (((patterns[i]! ^ patterns[i + 1]!) >> p) % 2 === 0) continue;
    kernels.packWithin(x, threshold, Number.POSITIVE_INFINITY, scratch, rows, channels);
    for (let w = 0; w < length; w++) words[w]! ^= scratch[w]!;
  }
}
