import { kernels } from '../backend/select.ts';
import { normaliseSamples, sampleAffine, sampleMoments } from '../exact/sample-norm.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { SignTensor, Tensor } from '../tensor/tensor.ts';
import type { Quantizer } from './quantizer.ts';

/**
 * Each image divided by its standard deviation over all pixels and channels, its mean taken off first if `centred`.
 *
 * @param x [N,H,W,C]
 * @param constant the deviation is a constant to the gradient
 * @param unbiased divides the sum of squares by n - 1
 * Source: Xu 2021 (ReCU), eq. 13; Lin 2020 (RBNN), sec. 3.5.
 */
export function sampleNormalise(x: Tensor, centred: boolean, constant = false, unbiased = false): Tensor {
  const samples = x.shape[0]!;
  const perSample = x.size / samples;
  const correction = unbiased ? 1 : 0;
  const [means, inverse, ones] = [floats(samples), floats(samples), floats(x.size).fill(1)];
  sampleMoments(kernels(), x.data, means, inverse, ones, samples, correction);
  release(ones);
  const y = emptyTensor(x.shape);
  normaliseSamples(kernels(), x.data, means, inverse, centred, y.data, samples, x.channels);
  const backward = (dy: Float32Array) => {
    if (constant && !centred) {
      kernels().rowScale(dy, inverse, dy, samples, perSample);
      return [dy];
    }
    const [products, sums, ones] = [floats(samples), floats(samples), floats(x.size).fill(1)];
    kernels().rowDots(dy, y.data, products, samples, perSample);
    kernels().rowDots(dy, ones, sums, samples, perSample);
    // dy s - mean(dy) s - (x - mean) s^2 sum(dy y)/(n - correction), s the inverse spread
    const through = (n: number) => (products[n]! / Math.max(1, perSample - correction)) * inverse[n]! ** 2;
    const shift = (n: number) => means[n]! * through(n) - (centred ? (sums[n]! / perSample) * inverse[n]! : 0);
    kernels().rowScale(dy, inverse, dy, samples, perSample);
    sampleAffine(kernels(), x.data, (n) => -through(n), shift, dy, dy, samples, x.channels);
    for (const array of [products, sums, ones]) release(array);
    return [dy];
  };
  return record('sampleNormalise', [x], y, backward, { attributes: { centred }, saved: [means, inverse] });
}

/**
 * Normalises each image before a sign. Without centring no sign changes, so that testing and packed networks skip it; the
 * gradient alone needs it, and alone tells the unbiased deviation, which the codes have, from the biased one of packed networks.
 */
export function sampleStandardised(options: {
  centred: boolean;
  /** The deviation is a constant to the gradient; default no. */
  constant?: boolean;
  quantizer: Quantizer<SignTensor>;
}): Quantizer<SignTensor> {
  const { centred, constant, quantizer } = options;
  return (x, context, own) =>
    context.training || centred
      ? quantizer(sampleNormalise(x, centred, constant, context.training), context, own)
      : quantizer(x, context, own);
}
