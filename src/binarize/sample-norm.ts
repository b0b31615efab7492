import { kernels } from '../backend/select.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { SignTensor, Tensor } from '../tensor/tensor.ts';
import type { Quantizer } from './quantizer.ts';

const epsilon = 1e-5;

/** Mean and 1/spread of each of `samples` equal parts. */
function sampleMoments(x: Float32Array, samples: number): { means: Float32Array; inverse: Float32Array } {
  const perSample = x.length / samples;
  const [means, inverse, ones] = [floats(samples), floats(samples), floats(x.length).fill(1)];
  kernels().rowDots(x, ones, means, samples, perSample);
  kernels().rowDots(x, x, inverse, samples, perSample);
  for (let n = 0; n < samples; n++) {
    means[n]! /= perSample;
    const variance = Math.max(0, inverse[n]! / perSample - means[n]! ** 2);
    inverse[n] = 1 / Math.sqrt(variance + epsilon);
  }
  release(ones);
  return { means, inverse };
}

/**
 * Each image divided by its standard deviation over all pixels and channels, its mean taken off first if `centred`.
 *
 * @param x [N,H,W,C]
 * Source: Xu 2021 (ReCU), eq. 13; Lin 2020 (RBNN), sec. 3.5.
 */
export function sampleNormalise(x: Tensor, centred: boolean): Tensor {
  const samples = x.shape[0]!;
  const perSample = x.size / samples;
  const { means, inverse } = sampleMoments(x.data, samples);
  const y = emptyTensor(x.shape);
  const each = (visit: (n: number, first: number) => void) => {
    for (let n = 0; n < samples; n++) visit(n, n * perSample);
  };
  each((n, first) => {
    const mean = centred ? means[n]! : 0;
    for (let i = first; i < first + perSample; i++) y.data[i] = (x.data[i]! - mean) * inverse[n]!;
  });
  const backward = (dy: Float32Array) => {
    const [products, sums, ones] = [floats(samples), floats(samples), floats(x.size).fill(1)];
    kernels().rowDots(dy, y.data, products, samples, perSample);
    kernels().rowDots(dy, ones, sums, samples, perSample);
    each((n, first) => {
      const [scale, mean] = [inverse[n]!, means[n]!];
      const through = (products[n]! / perSample) * scale;
      const shift = centred ? (sums[n]! / perSample) * scale : 0;
      for (let i = first; i < first + perSample; i++)
        dy[i] = dy[i]! * scale - shift - (x.data[i]! - mean) * scale * through;
    });
    for (const array of [products, sums, ones]) release(array);
    return [dy];
  };
  return record('sampleNormalise', [x], y, backward, { saved: [means, inverse] });
}

/**
 * Normalises each image before a sign. Without centring no sign changes, so that testing and packed networks skip it; the
 * gradient alone needs it.
 */
export function sampleStandardised(options: {
  centred: boolean;
  quantizer: Quantizer<SignTensor>;
}): Quantizer<SignTensor> {
  const { centred, quantizer } = options;
  return (x, context, own) =>
    context.training || centred ? quantizer(sampleNormalise(x, centred), context, own) : quantizer(x, context, own);
}
