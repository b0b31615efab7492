import type { Kernels } from './kernels.ts';

const epsilon = 1e-5;

/**
 * Mean and 1/spread of each of the equal parts of x, one for each image.
 *
 * @param means [N] written
 * @param inverse [N] written
 * @param ones as long as x, all 1
 */
export function sampleMoments(
  kernels: Kernels,
  x: Float32Array,
  means: Float32Array,
  inverse: Float32Array,
  ones: Float32Array,
  samples: number,
): void {
  const perSample = x.length / samples;
  kernels.rowDots(x, ones, means, samples, perSample);
  kernels.rowDots(x, x, inverse, samples, perSample);
  for (let n = 0; n < samples; n++) {
    means[n]! /= perSample;
    const variance = Math.max(0, inverse[n]! / perSample - means[n]! ** 2);
    inverse[n] = 1 / Math.sqrt(variance + epsilon);
  }
}

/** y = (x - mean_n) inverse_n, or x inverse_n without centring. */
export function normaliseSamples(
  x: Float32Array,
  means: Float32Array,
  inverse: Float32Array,
  centred: boolean,
  y: Float32Array,
  samples: number,
): void {
  const perSample = y.length / samples;
  for (let n = 0; n < samples; n++) {
    const [mean, scale] = [centred ? means[n]! : 0, inverse[n]!];
    for (let i = n * perSample; i < (n + 1) * perSample; i++) y[i] = (x[i]! - mean) * scale;
  }
}
