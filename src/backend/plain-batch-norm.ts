import type { Kernels } from './kernels.ts';

const none = new Float32Array(0);

/** Gradients of a batch normalisation with nothing behind it: the plain form of `batchNormBackward`. dx may be dy. */
export function plainBatchNormBackward(
  kernels: Kernels,
  x: Float32Array,
  dy: Float32Array,
  mean: Float32Array,
  invStd: Float32Array,
  gamma: Float32Array,
  dx: Float32Array,
  dgamma: Float32Array,
  dbeta: Float32Array,
  rows: number,
): void {
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const arriving = [none, dy, none, 'relu', 0, 0, low, high] as const;
  // what arrives is kept where it is
  kernels.batchNormBackward(x, ...arriving, mean, invStd, gamma, dy, dx, dgamma, dbeta, rows, mean.length);
}
