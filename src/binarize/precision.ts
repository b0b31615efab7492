import { kernels } from '../backend/select.ts';
import { UsageError } from '../core/errors.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { CodedFilter, PlaneTensor, Tensor } from '../tensor/tensor.ts';
import { type ActivationQuantizer, floatActivation } from './activations.ts';
import { layerShift } from './layer-affine.ts';
import { unitActivation } from './level-activations.ts';
import { learning } from './quantizer.ts';
import type { FilterSum } from './terms.ts';
import { floatWeights, signFilterOf, type WeightQuantizer } from './weights.ts';

/** How one layer of a mixed-precision network computes: as its method says, with k bits, or in float. */
export type Precision = 'binary' | 'float' | `${number}-bit`;

/** Up to this many bits a layer runs on bit-planes; above, on whole codes in float. */
const mostPlaneBits = 4;

/** Number of bits, or null for `binary` and `float`. @throws UsageError for anything else */
export function bitsOf(precision: string): number | null {
  if (precision === 'binary' || precision === 'float') return null;
  const bits = Number(/^([2-8])-bit$/.exec(precision)?.[1]);
  if (bits >= 2) return bits;
  throw new UsageError(`unknown precision "${precision}"; choose float, binary or 2-bit to 8-bit`);
}

/** Largest level of the best uniform quantizer of a normal distribution, in standard deviations (Max 1960, table 2). */
const normalReach: Record<number, number> = { 2: 1.494, 3: 2.051, 4: 2.514, 5: 2.912, 6: 3.263, 7: 3.583, 8: 3.882 };

/** Mean and root mean square, of columns. */
function columnRms(w: Tensor): Float32Array {
  const squares = floats(w.channels);
  kernels().columnDots(w.data, w.data, squares, w.rows, w.channels);
  for (let c = 0; c < squares.length; c++) squares[c] = Math.sqrt(squares[c]! / w.rows);
  return squares;
}

/**
 * Even levels without a zero, as a sum of signs: code q of k bits is sum_i 2^i s_i over 2^k - 1 times the reach of the filter. The gradient
 * passes inside the reach.
 *
 * @param bits 2 to 4: one XNOR convolution per bit
 */
function planeWeights(bits: number): WeightQuantizer {
  const levels = 2 ** bits - 1;
  return (w): FilterSum => {
    const reach = columnRms(w);
    for (let c = 0; c < reach.length; c++) reach[c] = Math.max(1e-12, reach[c]! * normalReach[bits]!);
    const codes = new Uint8Array(w.size);
    for (let i = 0; i < w.size; i++) {
      const unit = (w.data[i]! / reach[i % w.channels]! + 1) / 2;
      codes[i] = Math.round(Math.min(1, Math.max(0, unit)) * levels);
    }
    const filters = Array.from({ length: bits }, (_, plane) => {
      const signs = floats(w.size);
      for (let i = 0; i < signs.length; i++) signs[i] = (codes[i]! >> plane) & 1 ? 1 : -1;
      const alpha = floats(w.channels);
      for (let c = 0; c < alpha.length; c++) alpha[c] = (reach[c]! * 2 ** plane) / levels;
      const filter = signFilterOf(new Tensor(signs, w.shape), alpha);
      release(signs);
      const backward = (g: Float32Array) => {
        // every plane gets the whole gradient of the sum; one of them hands it on
        if (plane > 0) return [null];
        for (let i = 0; i < g.length; i++) if (Math.abs(w.data[i]!) > reach[i % w.channels]!) g[i] = 0;
        return [g];
      };
      const saved = [filter.words, alpha, ...(plane === 0 ? [reach] : [])];
      return record('binarizeWeights', [w], filter, backward, { saved });
    });
    return { filters };
  };
}

/**
 * Whole codes -m..m, m = 2^(bits-1) - 1, times max|w_c|/m of the filter; the gradient passes unchanged. A packed file holds one byte per
 * weight; the product runs in float.
 *
 * Source: Jacob 2018, sec. 2.1, symmetric and per output channel.
 */
export function codedWeights(bits: number): (w: Tensor) => CodedFilter {
  const most = 2 ** (bits - 1) - 1;
  return (w) => {
    const scale = floats(w.channels).fill(1e-12);
    for (let i = 0; i < w.size; i++) {
      const c = i % w.channels;
      scale[c] = Math.max(scale[c]!, Math.abs(w.data[i]!));
    }
    for (let c = 0; c < scale.length; c++) scale[c]! /= most;
    const codes = Int8Array.from(w.data, (value, i) => Math.round(value / scale[i % w.channels]!));
    const y = emptyTensor(w.shape);
    decodeInto(codes, scale, y.data);
    return record('codedWeights', [w], new CodedFilter(codes, scale, y.data, w.shape), (g) => [g], { saved: [scale] });
  };
}

function decodeInto(codes: Int8Array, scale: Float32Array, y: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = codes[i]! * scale[i % scale.length]!;
}

const momentum = 0.1;

/**
 * 2^bits even levels over [-r, r], r the best reach for the spread of the layer's activations so far (a moving average of their root mean
 * square). Up to 4 bits as bit-planes with an offset.
 */
function rangedActivation(bits: number): ActivationQuantizer {
  const unit = unitActivation(bits);
  const scalar = (value: number) => new Tensor(Float32Array.of(value), [1]);
  return learning(
    () => ({ kept: { spread: new Float32Array(1) } }),
    (x, context, { kept }) => {
      const spread = kept['spread']!;
      if (context.training) {
        const square = floats(1);
        kernels().rowDots(x.data, x.data, square, 1, x.size);
        const now = Math.sqrt(square[0]! / x.size);
        spread[0] = spread[0] === 0 ? now : spread[0]! + momentum * (now - spread[0]!);
        release(square);
      }
      const reach = Math.max(1e-6, spread[0]! * normalReach[bits]!);
      const levels = unit(layerShift(sampleScale(x, scalar(0.5 / reach)), scalar(0.5)), context);
      if (levels instanceof PlaneTensor)
        return { terms: [{ bits: levels, scale: scalar(2 * reach) }], offset: scalar(-reach) };
      return layerShift(sampleScale(levels as Tensor, scalar(2 * reach)), scalar(-reach));
    },
  );
}

/** The quantizers of a layer that is not as its method says; null for `binary`, which is. */
export function quantizersOf(
  precision: Precision,
): { weight: WeightQuantizer; activation: ActivationQuantizer } | null {
  const bits = bitsOf(precision);
  if (bits === null) return precision === 'float' ? { weight: floatWeights, activation: floatActivation } : null;
  return {
    weight: bits <= mostPlaneBits ? planeWeights(bits) : codedWeights(bits),
    activation: rangedActivation(bits),
  };
}
