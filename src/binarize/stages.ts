import type { Tensor } from '../tensor/tensor.ts';
import type { Estimator } from './estimators.ts';
import type { Quantizer } from './quantizer.ts';

/**
 * Passes values unchanged while the schedule value `switchName` is 0, then quantizes: activations first and weights later, or the
 * other way round, in one training. Networks without a schedule value are quantized.
 */
export function floatUntil<Out>(switchName: string, quantizer: Quantizer<Out>): Quantizer<Out | Tensor> {
  const apply: Quantizer<Out | Tensor> = (x, context, own) =>
    context.value(switchName, 1) === 0 ? x : quantizer(x, context, own);
  const { start, withEstimator } = quantizer;
  return Object.assign(apply, {
    ...(start ? { start } : {}),
    ...(withEstimator ? { withEstimator: (other: Estimator) => floatUntil(switchName, withEstimator(other)) } : {}),
  });
}

/**
 * Quantizes with ever fewer bits: the schedule value `bitsName` picks one of `ladder`, anything else the quantizer itself.
 *
 * Source: Zhuang 2018, sec. 3.3; survey sec. 3.5.
 */
export function bitLadder<Out>(
  bitsName: string,
  ladder: ReadonlyMap<number, Quantizer<Out>>,
  quantizer: Quantizer<Out>,
): Quantizer<Out> {
  const apply: Quantizer<Out> = (x, context, own) =>
    (ladder.get(context.value(bitsName, 1)) ?? quantizer)(x, context, own);
  return quantizer.start ? Object.assign(apply, { start: quantizer.start }) : apply;
}
