import type { Kernels } from '../backend/kernels.ts';

const none = new Float32Array(0);

/** y = x*scale[c] + shift[c] (+ residual), without clamp: the plain form of `channelAffine`. y may be x. */
export function affineColumns(
  kernels: Kernels,
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  y: Float32Array,
  rows: number,
  residual: Float32Array = none,
): void {
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  kernels.channelAffine(x, scale, shift, residual, low, high, y, rows, scale.length);
}
