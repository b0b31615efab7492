import { kernels } from '../backend/select.ts';
import { UsageError } from '../core/errors.ts';
import { plainCodes } from '../exact/level-codes.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { CodedFilter, SignTensor, Tensor } from '../tensor/tensor.ts';
import { type ActivationQuantizer, floatActivation } from './activations.ts';
import type { BinarizeContext } from './context.ts';
import { layerShift } from './layer-affine.ts';
import { codePlanes, unitActivation, withinMask } from './level-activations.ts';
import { learning } from './quantizer.ts';
import type { ActivationSum, FilterSum } from './terms.ts';
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

/** Root mean square of a layer's activations so far, a moving average; renewed while training. */
function spreadOf(x: Tensor, { training }: BinarizeContext, spread: Float32Array): number {
  if (training) {
    const square = floats(1);
    kernels().rowDots(x.data, x.data, square, 1, x.size);
    const now = Math.sqrt(square[0]! / x.size);
    spread[0] = spread[0] === 0 ? now : spread[0]! + momentum * (now - spread[0]!);
    release(square);
  }
  return Math.max(1e-6, spread[0]!);
}

const scalar = (value: number) => new Tensor(Float32Array.of(value), [1]);

/**
 * 2^bits even levels over [-reach, reach] as a sum of signs: a set bit of the code is a packed -1, so every term is minus its share. The
 * gradient passes inside the reach.
 */
function signLevels(x: Tensor, bits: number, reach: number): ActivationSum {
  const levels = 2 ** bits - 1;
  const step = (2 * reach) / levels;
  const codes = plainCodes(Float32Array.from({ length: levels }, (_, i) => (i + 0.5) * step - reach));
  const planes = codePlanes(x, codes);
  const terms = planes.map((plane, p) => {
    const share = (-reach * 2 ** p) / levels;
    const signs = new SignTensor(plane, x.shape);
    const attributes = { codes, plane: p };
    // every plane gets its share of one gradient; the first hands on the whole of it
    if (p > 0)
      return {
        bits: record('codeSign', [x], signs, () => [null], { attributes, saved: [plane] }),
        scale: scalar(share),
      };
    const mask = withinMask(x, -reach, reach);
    const backward = (dy: Float32Array) => {
      kernels().maskBits(dy, mask, dy, x.rows, x.channels);
      kernels().blend(dy, 0, 1 / share, dy);
      return [dy];
    };
    return {
      bits: record('codeSign', [x], signs, backward, { attributes, saved: [plane, mask] }),
      scale: scalar(share),
    };
  });
  return { terms };
}

/** 2^bits even levels over the best reach for the spread of the layer's activations; up to 4 bits as bit-planes. */
function rangedActivation(bits: number): ActivationQuantizer {
  // its own, of no reference: as it was
  const unit = unitActivation(bits, 'up');
  return learning(
    () => ({ kept: { spread: new Float32Array(1) } }),
    (x, context, { kept }) => {
      const reach = spreadOf(x, context, kept['spread']!) * normalReach[bits]!;
      if (bits <= mostPlaneBits) return signLevels(x, bits, reach);
      const levels = unit(layerShift(sampleScale(x, scalar(0.5 / reach)), scalar(0.5)), context) as Tensor;
      return layerShift(sampleScale(levels, scalar(2 * reach)), scalar(-reach));
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
