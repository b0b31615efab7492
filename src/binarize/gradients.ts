import { sizeOf } from '../core/shape.ts';
import { quantizeUnit } from '../exact/unit-levels.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';

/**
 * Identity forward; backward the gradient of each sample r is quantized to k bits with noise:
 * 2 max|g_r| [quantize_k(g/(2 max|g_r|) + 1/2 + N(k)) - 1/2], N = sigma/(2^k - 1), sigma ~ U(-1/2, 1/2).
 *
 * @param x [N,...]
 * Source: Zhou 2016 (DoReFa), eq. 12.
 */
export function quantizeGradient(x: Tensor, bits: number, context: BinarizeContext): Tensor {
  const perSample = sizeOf(x.shape.slice(1));
  const backward = (g: Float32Array) => {
    for (let first = 0; first < g.length; first += perSample) {
      let largest = 0;
      for (let i = first; i < first + perSample; i++) largest = Math.max(largest, Math.abs(g[i]!));
      if (largest === 0) continue;
      for (let i = first; i < first + perSample; i++) {
        const noise = context.random.uniform(-0.5, 0.5) / (2 ** bits - 1);
        const unit = Math.min(1, Math.max(0, g[i]! / (2 * largest) + 0.5 + noise));
        g[i] = 2 * largest * (quantizeUnit(unit, bits) - 0.5);
      }
    }
    return [g];
  };
  return record('quantizeGradient', [x], new Tensor(x.data, x.shape), backward, { view: true });
}
