import type { Kernels } from '../backend/kernels.ts';
import { affineColumns } from './affine-columns.ts';

const epsilon = 1e-5;
const none = new Float32Array(0);

/**
 * Mean and 1/spread of each of the equal parts of x, one for each image.
 *
 * @param means [N] written
 * @param inverse [N] written
 * @param ones as long as x, all 1
 * @param correction of the n that the sum of squares is divided by: 1 is the unbiased variance
 */
export function sampleMoments(
  kernels: Kernels,
  x: Float32Array,
  means: Float32Array,
  inverse: Float32Array,
  ones: Float32Array,
  samples: number,
  correction = 0,
): void {
  const perSample = x.length / samples;
  const enlarged = perSample / Math.max(1, perSample - correction);
  kernels.rowDots(x, ones, means, samples, perSample);
  kernels.rowDots(x, x, inverse, samples, perSample);
  for (let n = 0; n < samples; n++) {
    means[n]! /= perSample;
    const variance = Math.max(0, inverse[n]! / perSample - means[n]! ** 2);
    inverse[n] = 1 / Math.sqrt(variance * enlarged + epsilon);
  }
}

/** y = x*scale + shift + residual with a scale and a shift for each channel of each image; `residual` may be empty. */
export function sampleAffine(
  kernels: Kernels,
  x: Float32Array,
  scaleAt: (sample: number, channel: number) => number,
  shiftAt: (sample: number, channel: number) => number,
  residual: Float32Array,
  y: Float32Array,
  samples: number,
  channels: number,
): void {
  const perSample = y.length / samples;
  const [scale, shift] = [new Float32Array(channels), new Float32Array(channels)];
  for (let n = 0; n < samples; n++) {
    for (let c = 0; c < channels; c++) {
      scale[c] = scaleAt(n, c);
      shift[c] = shiftAt(n, c);
    }
    const part = (array: Float32Array) => array.subarray(n * perSample, (n + 1) * perSample);
    const added = residual.length > 0 ? part(residual) : none;
    affineColumns(kernels, part(x), scale, shift, part(y), perSample / channels, added);
  }
}

/** y = (x - mean_n) inverse_n, or x inverse_n without centring. */
export function normaliseSamples(
  kernels: Kernels,
  x: Float32Array,
  means: Float32Array,
  inverse: Float32Array,
  centred: boolean,
  y: Float32Array,
  samples: number,
  channels: number,
): void {
  const shift = (n: number) => (centred ? -means[n]! * inverse[n]! : 0);
  sampleAffine(kernels, x, (n) => inverse[n]!, shift, none, y, samples, channels);
}

/** y[n,p,c] = x[n,p,c] gate[n,c] */
export function gateChannels(
  kernels: Kernels,
  x: Float32Array,
  gate: Float32Array,
  y: Float32Array,
  samples: number,
  channels: number,
): void {
  sampleAffine(
    kernels,
    x,
    (n, c) => gate[n * channels + c]!,
    () => 0,
    none,
    y,
    samples,
    channels,
  );
}
