import type { Tensor } from '../tensor/tensor.ts';
import type { Quantizer } from './quantizer.ts';

/**
 * Passes values unchanged while the schedule value `switchName` is 0, then quantizes: activations first and weights later, or the
 * other way round, in one training. Networks without a schedule value are quantized.
 */
export function floatUntil<Out>(switchName: string, quantizer: Quantizer<Out>): Quantizer<Out | Tensor> {
  const apply: Quantizer<Out | Tensor> = (x, context, own) =>
    context.value(switchName, 1) === 0 ? x : quantizer(x, context, own);
  return quantizer.start ? Object.assign(apply, { start: quantizer.start }) : apply;
}
