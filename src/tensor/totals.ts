import { kernels } from '../backend/select.ts';
import { floats, release } from './storage.ts';
import type { Tensor } from './tensor.ts';

/** Sum of all values of an array of x's size, or of its products with another. */
export function total({ rows, channels }: Tensor, values: Float32Array, factors?: Float32Array): number {
  const perChannel = floats(channels);
  if (factors) kernels().columnDots(values, factors, perChannel, rows, channels);
  else kernels().columnSums(values, perChannel, rows, channels);
  const sum = perChannel.reduce((s, value) => s + value, 0);
  release(perChannel);
  return sum;
}

/** Sum of the values whose bit is set; `values` is left masked. */
export function maskedTotal(x: Tensor, values: Float32Array, mask: Uint32Array): number {
  kernels().maskBits(values, mask, values, x.rows, x.channels);
  return total(x, values);
}
