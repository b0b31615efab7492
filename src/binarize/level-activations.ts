import { kernels } from '../backend/select.ts';
import { wordsPerRow } from '../core/bits.ts';
import { type LevelCodes, planeCount, unitCodes } from '../exact/level-codes.ts';
import { packCodePlane } from '../exact/plane-conv.ts';
import { quantizeUnit, type Ties, unitLevels } from '../exact/unit-levels.ts';
import { floats, release, words } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { PlaneTensor, Tensor } from '../tensor/tensor.ts';
import type { Quantizer } from './quantizer.ts';

/** Above this many bits, bit-planes cost more than floats. */
const mostPlanes = 4;

/** Every bit-plane of the codes of x, packed. */
export function codePlanes(x: Tensor, codes: LevelCodes): Uint32Array[] {
  const { rows, channels } = x;
  const length = rows * wordsPerRow(channels);
  const scratch = words(length);
  const planes = Array.from({ length: planeCount(codes) }, (_, p) => {
    const plane = words(length);
    packCodePlane(kernels(), x.data, codes, p, scratch, plane, rows, channels);
    return plane;
  });
  release(scratch);
  return planes;
}

/** One bit per element: low <= x <= high. Kept for a backward pass. */
export function withinMask(x: Tensor, low: number, high: number): Uint32Array {
  const mask = words(x.rows * wordsPerRow(x.channels));
  kernels().packWithin(x.data, low, high, mask, x.rows, x.channels);
  return mask;
}

/**
 * Codes of x as bit-planes worth `step` each.
 *
 * @param x [...,C]
 * @param range the gradient passes where low <= x <= high; null: nowhere
 */
export function quantizeToPlanes(
  x: Tensor,
  codes: LevelCodes,
  step: number,
  range: readonly [low: number, high: number] | null,
): PlaneTensor {
  const planes = codePlanes(x, codes);
  const attributes = { codes, step };
  const y = new PlaneTensor(planes, step, x.shape);
  if (!range) return record('levelCodes', [x], y, () => [null], { attributes, saved: planes });
  const mask = withinMask(x, ...range);
  const backward = (dy: Float32Array) => {
    kernels().maskBits(dy, mask, dy, x.rows, x.channels);
    return [dy];
  };
  return record('levelCodes', [x], y, backward, { attributes, saved: [...planes, mask] });
}

/**
 * quantize_k(clip(x, 0, 1)): levels in [0,1], as bit-planes up to 4 bits; gradient 1 inside the clip, else 0.
 *
 * @param ties 'up' for what was trained before halves went to even codes
 * Source: Zhou 2016 (DoReFa), sec. 2.5.
 */
export function unitActivation(bits: number, ties: Ties = 'even'): Quantizer<PlaneTensor | Tensor> {
  if (bits <= mostPlanes) {
    const codes = unitCodes(bits, ties);
    return (x) => quantizeToPlanes(x, codes, 1 / (2 ** bits - 1), [0, 1]);
  }
  return (x) => {
    const levels = floats(x.size);
    unitLevels(x.data, bits, levels, ties);
    const mask = withinMask(x, 0, 1);
    const backward = (dy: Float32Array) => {
      kernels().maskBits(dy, mask, dy, x.rows, x.channels);
      return [dy];
    };
    const y = new Tensor(levels, x.shape);
    return record('unitLevels', [x], y, backward, { attributes: { bits, ties }, saved: [mask] });
  };
}

/**
 * 2 quantize_k(clip((x+1)/2, 0, 1)) - 1: 2^bits even levels in [-1,1]; gradient 1 inside, else 0. As floats: a stage of a training, not a
 * packed form.
 */
export function symmetricLevels(bits: number): Quantizer<Tensor> {
  return (x) => {
    const y = emptyTensor(x.shape);
    for (let i = 0; i < y.size; i++) {
      const unit = Math.min(1, Math.max(0, (x.data[i]! + 1) / 2));
      y.data[i] = 2 * quantizeUnit(unit, bits) - 1;
    }
    const mask = withinMask(x, -1, 1);
    const backward = (dy: Float32Array) => {
      kernels().maskBits(dy, mask, dy, x.rows, x.channels);
      return [dy];
    };
    return record('symmetricLevels', [x], y, backward, { attributes: { bits }, saved: [mask] });
  };
}
