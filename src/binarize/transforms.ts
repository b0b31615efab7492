import { plainBatchNormBackward } from '../backend/plain-batch-norm.ts';
import { kernels } from '../backend/select.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { scale } from '../tensor/ops/arithmetic.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { Quantizer } from './quantizer.ts';

/** A differentiable map of the latent weights before their signs are taken. */
export type WeightTransform = Quantizer<Tensor>;

/** A filter of one value has no variance. */
const flat = 1e-12;

/**
 * (w - mean_c)/sqrt(var_c + epsilon) per filter.
 *
 * @param correction of the n that the sum of squares is divided by: 1 is the unbiased variance
 */
const standardised =
  (correction: 0 | 1, epsilon: number): WeightTransform =>
  (w) => {
    const { rows, channels } = w;
    const [mean, invStd, shift, gamma] = [floats(channels), floats(channels), floats(channels), floats(channels)];
    kernels().channelMoments(w.data, mean, invStd, rows, channels);
    // batch-norm uses the biased variance; the constant factor makes it the other std
    const share = rows > correction ? (rows - correction) / rows : 1;
    const unbiased = Math.sqrt(share);
    const scale = floats(channels);
    for (let c = 0; c < channels; c++) {
      invStd[c] = 1 / Math.sqrt(invStd[c]! + flat + epsilon * share);
      gamma[c] = unbiased;
      scale[c] = unbiased * invStd[c]!;
      shift[c] = -mean[c]! * scale[c]!;
    }
    const y = emptyTensor(w.shape);
    affineColumns(kernels(), w.data, scale, shift, y.data, rows);
    release(shift);
    release(scale);
    const backward = (dy: Float32Array) => {
      const [dgamma, dbeta] = [floats(channels), floats(channels)];
      plainBatchNormBackward(kernels(), w.data, dy, mean, invStd, gamma, dy, dgamma, dbeta, rows);
      release(dgamma);
      release(dbeta);
      return [dy];
    };
    return record('standardise', [w], y, backward, { saved: [mean, invStd, gamma] });
  };

/**
 * (w - mean_c)/std_c per filter, unbiased std: zero mean makes the signs balanced (maximum entropy), unit variance keeps
 * the estimator's range. Source: Qin 2020 (IR-Net), eq. 5-6.
 */
export const standardise = standardised(1, 0);

/** The same with 1e-5 beside the variance, as ReCU's and SiMaN's code has it: what decays does not learn ever faster. */
export const standardiseWithFloor = standardised(1, 1e-5);

/** The same by the biased std, as AdaBin has it. */
export const standardiseBiased = standardised(0, 0);

/** w - mean_c per filter: half of the signs are +1, the most a bit can tell. Source: Shen 2019 (BBG), eq. 4-5. */
export const centre: WeightTransform = (w) => {
  const { rows, channels } = w;
  const y = emptyTensor(w.shape);
  subtractColumnMeans(w.data, y.data, rows, channels);
  const backward = (dy: Float32Array) => {
    subtractColumnMeans(dy, dy, rows, channels);
    return [dy];
  };
  return record('centre', [w], y, backward);
};

/** y = x minus the mean of its column, x [rows,channels]; y may be x. */
export function subtractColumnMeans(x: Float32Array, y: Float32Array, rows: number, channels: number): void {
  const [shift, one] = [floats(channels), floats(channels).fill(1)];
  kernels().columnSums(x, shift, rows, channels);
  for (let c = 0; c < channels; c++) shift[c]! /= -rows;
  affineColumns(kernels(), x, one, shift, y, rows);
  release(shift);
  release(one);
}

/**
 * w clamped to +-limit(w), where weights beyond get no gradient; the limit is a constant to the gradient.
 *
 * @param limit from the weights and the schedule
 */
export function clampWeights(limit: (w: Tensor, context: BinarizeContext) => number): WeightTransform {
  return (w, context) => {
    const bound = limit(w, context);
    const y = emptyTensor(w.shape);
    y.data.set(w.data);
    kernels().clamp(y.data, -bound, bound);
    const backward = (dy: Float32Array) => {
      kernels().maskWithin(dy, w.data, -bound, bound, dy);
      return [dy];
    };
    return record('clampWeights', [w], y, backward);
  };
}

/** factor * w */
export const multiplyWeights =
  (factor: number): WeightTransform =>
  (w) =>
    scale(w, factor);
