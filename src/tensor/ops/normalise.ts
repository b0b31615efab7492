import { kernels } from '../../backend/select.ts';
import { nearestPowerOfTwo, nearestPowersOfTwo } from '../../core/power-of-two.ts';
import { affineColumns } from '../../exact/affine-columns.ts';
import { floats, release } from '../storage.ts';
import { emptyTensor, type GradientTerms, record, type SlopedGradient } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

const none = new Float32Array(0);

/** What may follow a normalisation in the same pass over memory. */
export interface Epilogue {
  /** Added after the normalisation; same shape. */
  readonly residual?: Tensor | undefined;
  /** Clamp bounds: [-1,1] is hardtanh, [0,inf) ReLU. */
  readonly clamp?: readonly [low: number, high: number] | undefined;
}

/** Mean and variance of each channel over a batch. */
export interface BatchStatistics {
  /** Statistics of this batch, biased variance; valid until the step ends. */
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** How a batch-norm measures the spread of a channel and which factors it multiplies by. */
export interface NormRule {
  /** Replaces the biased variance of each channel. */
  readonly variance?: (x: Float32Array, mean: Float32Array, variance: Float32Array) => void;
  /** Replaces gamma, and 1/sqrt(variance + eps). */
  readonly factor?: (value: number) => number;
}

/** Ioffe and Szegedy 2015. */
export const exactNorm: NormRule = {};

/**
 * Shift-based batch-norm: every multiplication is by a power of two, the variance is the mean of (x - mean) AP2(x - mean).
 *
 * Source: Hubara 2016, alg. 3; survey [57].
 */
export const shiftNorm: NormRule = {
  variance: (x, mean, variance) => {
    const channels = mean.length;
    const rows = x.length / channels;
    const [one, shift] = [floats(channels).fill(1), floats(channels)];
    for (let c = 0; c < channels; c++) shift[c] = -mean[c]!;
    const [centred, powers] = [floats(x.length), floats(x.length)];
    affineColumns(kernels(), x, one, shift, centred, rows);
    powers.set(centred);
    nearestPowersOfTwo(new Int32Array(powers.buffer, powers.byteOffset, powers.length));
    kernels().columnDots(centred, powers, variance, rows, channels);
    for (let c = 0; c < channels; c++) variance[c]! /= rows;
    for (const array of [one, shift, centred, powers]) release(array);
  },
  factor: nearestPowerOfTwo,
};

/** scale = gamma/sqrt(variance+eps), shift = beta - mean*scale: batch-norm as one affine map per channel. */
export function foldBatchNorm(
  gamma: Float32Array,
  beta: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
  epsilon: number,
  scale: Float32Array,
  shift: Float32Array,
  { factor }: NormRule = exactNorm,
): void {
  for (let c = 0; c < scale.length; c++) {
    const spread = Math.sqrt(variance[c]! + epsilon);
    scale[c] = factor ? factor(gamma[c]!) * factor(1 / spread) : gamma[c]! / spread;
    shift[c] = beta[c]! - mean[c]! * scale[c]!;
  }
}

function clampedGradient(dy: Float32Array, y: Tensor, clamp: Epilogue['clamp']): Float32Array {
  if (!clamp) return dy;
  kernels().maskWithin(dy, y.data, clamp[0], clamp[1], dy);
  return dy;
}

/**
 * y = clamp(gamma*(x - mean)/sqrt(variance + eps) + beta + residual), statistics over all axes but the last.
 *
 * @param x [...,C]
 * @param gamma [C]
 * @param beta [C]
 * @param onStatistics receives the batch statistics, for the running averages
 * @param rule exact, or by powers of two
 * Source: Ioffe and Szegedy 2015, alg. 1.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
  onStatistics: (statistics: BatchStatistics) => void,
  epilogue: Epilogue = {},
  rule: NormRule = exactNorm,
): Tensor {
  const { rows, channels } = x;
  const [mean, variance, invStd, shift] = [floats(channels), floats(channels), floats(channels), floats(channels)];
  const scale = floats(channels);
  kernels().channelMoments(x.data, mean, variance, rows, channels);
  rule.variance?.(x.data, mean, variance);
  onStatistics({ mean, variance });
  foldBatchNorm(gamma.data, beta.data, mean, variance, epsilon, scale, shift, rule);
  const gain = floats(channels);
  for (let c = 0; c < channels; c++) {
    const inverse = 1 / Math.sqrt(variance[c]! + epsilon);
    invStd[c] = rule.factor?.(inverse) ?? inverse;
    gain[c] = rule.factor?.(gamma.data[c]!) ?? gamma.data[c]!;
  }
  release(variance);
  const y = emptyTensor(x.shape);
  const { residual, clamp } = epilogue;
  const [low, high] = clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  kernels().channelAffine(x.data, scale, shift, residual?.data ?? none, low, high, y.data, rows, channels);
  release(shift);
  release(scale);
  const gradients = (direct: Float32Array | null, sloped: SlopedGradient | null) => {
    // what arrives behind the clamp is kept where it came from: the residual takes it as its own gradient
    const g = direct ?? sloped!.values;
    const dx = residual ? (direct && sloped?.values) || floats(x.size) : g;
    const [dgamma, dbeta] = [floats(channels), floats(channels)];
    const { values = none, slope = 'relu', p0 = 0, p1 = 0 } = sloped ?? {};
    const arriving = [y.storage ?? none, direct ?? none, values, slope, p0, p1, low, high] as const;
    kernels().batchNormBackward(x.data, ...arriving, mean, invStd, gain, g, dx, dgamma, dbeta, rows, channels);
    return residual ? [dx, dgamma, dbeta, g] : [dx, dgamma, dbeta];
  };
  const backward = (g: Float32Array) => gradients(g, null);
  const joined = ({ direct, sloped }: GradientTerms) => gradients(direct, sloped);
  const inputs = residual ? [x, gamma, beta, residual] : [x, gamma, beta];
  return record('batchNorm', inputs, y, backward, { joined, saved: [mean, invStd, gain] });
}

/**
 * y = clamp(x*scale[c] + shift[c] + residual): batch-norm with fixed statistics, or any affine map per channel.
 *
 * @param x [...,C]
 * @param scale [C], a constant: no gradient flows to it
 * @param shift [C], likewise
 */
export function channelAffine(x: Tensor, scale: Float32Array, shift: Float32Array, epilogue: Epilogue = {}): Tensor {
  const { rows, channels } = x;
  const y = emptyTensor(x.shape);
  const { residual, clamp } = epilogue;
  const [low, high] = clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  kernels().channelAffine(x.data, scale, shift, residual?.data ?? none, low, high, y.data, rows, channels);
  const backward = (g: Float32Array) => {
    const dy = clampedGradient(g, y, clamp);
    const dx = floats(x.size);
    const zero = floats(channels).fill(0);
    affineColumns(kernels(), dy, scale, zero, dx, rows);
    return residual ? [dx, dy] : [dx];
  };
  const attributes = { scale, shift, low, high };
  return record('affine', residual ? [x, residual] : [x], y, backward, { attributes });
}
