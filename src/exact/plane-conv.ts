import type { Kernels } from '../backend/kernels.ts';
import { wordsPerRow } from '../core/bits.ts';
import type { ConvGeometry } from '../core/conv-geometry.ts';
import { affineColumns } from './affine-columns.ts';
import type { LevelCodes } from './level-codes.ts';

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
 * Convolution of k-bit codes q in 0..2^k-1, held as bit-planes, by signs: out = scale[c] * sum of s*q, one XNOR convolution for each plane.
 * A plane's bit 1 is stored as "-1", so that sum(s*u) = (sum(s) - dot)/2, and a border tap, u = 0, is the +1 of `one` padding.
 *
 * @param planes lowest bit first; each [N,H,W,words]
 * @param prepared filter of this backend
 * @param signSums of `filterSignSums`
 * @param scratch as long as `out`; not touched for one plane
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
  scratch: Float32Array,
  out: Float32Array,
): void {
  const one = new Float32Array(g.outChannels).fill(1);
  const [factor, shift] = [new Float32Array(g.outChannels), new Float32Array(g.outChannels)];
  for (const [p, plane] of planes.entries()) {
    const weight = 2 ** p / 2;
    for (let c = 0; c < factor.length; c++) {
      factor[c] = -weight * scale[c]!;
      shift[c] = weight * scale[c]! * signSums[c]!;
    }
    kernels.xnorConv2dScaled(plane, prepared, factor, one, shift, p === 0 ? out : scratch, g, 'one');
    if (p > 0) kernels.add(out, scratch, out);
  }
}

/**
 * The gradient of that convolution by its float filter: of codes q = sum 2^p u_p, u = (1 - s)/2, and border taps u = 0 again the +1 of
 * `one` padding, so that the sum of dy over all pixels and the gradients by the planes' signs give it.
 *
 * @param step what one code is worth
 * @param sums [Cout], sums of dy over all pixels
 * @param scratch as long as `dfilter`
 * @param dfilter [KH,KW,Cin/groups,Cout]
 */
export function planeFilterGradient(
  kernels: Kernels,
  planes: readonly Uint32Array[],
  step: number,
  dy: Float32Array,
  sums: Float32Array,
  g: ConvGeometry,
  scratch: Float32Array,
  dfilter: Float32Array,
): void {
  for (const [p, plane] of planes.entries()) {
    kernels.conv2dBackwardFilterSigns(plane, dy, p === 0 ? dfilter : scratch, g, 'one');
    if (p > 0) kernels.blend(scratch, 2 ** p, 1, dfilter);
  }
  const factor = new Float32Array(g.outChannels).fill(-step / 2);
  const shift = Float32Array.from(sums, (sum) => (step / 2) * (2 ** planes.length - 1) * sum);
  affineColumns(kernels, dfilter, factor, shift, dfilter, dfilter.length / g.outChannels);
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
