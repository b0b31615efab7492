import type { Tensor } from '../tensor/tensor.ts';
import type { ScheduleValues } from './context.ts';
import type { Estimator } from './estimators.ts';
import type { Quantizer } from './quantizer.ts';

/** What is binary while a stage of a training lasts; the rest passes as floats. */
export const binaryParts = ['none', 'weights', 'activations', 'both'] as const;
export type BinaryPart = (typeof binaryParts)[number];

/** The schedule values that every network asks: 0 passes floats. Where they are not set, all is binary. */
export const binaryWeights = 'binaryWeights';
export const binaryActivations = 'binaryActivations';

/** The schedule values under which just this is binary. */
export const switchesFor = (part: BinaryPart): ScheduleValues => ({
  [binaryWeights]: part === 'weights' || part === 'both' ? 1 : 0,
  [binaryActivations]: part === 'activations' || part === 'both' ? 1 : 0,
});

/**
 * Passes values unchanged while the schedule value `switchName` is 0, then quantizes. Networks without a schedule value are quantized. A quantizer that
 * answers to this value by itself stays as it is.
 */
export function floatUntil<Out>(switchName: string, quantizer: Quantizer<Out>): Quantizer<Out | Tensor> {
  if (quantizer.switchedBy === switchName) return quantizer;
  const apply: Quantizer<Out | Tensor> = (x, context, own) =>
    context.value(switchName, 1) === 0 ? x : quantizer(x, context, own);
  const { start, withEstimator } = quantizer;
  return Object.assign(apply, {
    switchedBy: switchName,
    ...(start ? { start } : {}),
    ...(withEstimator ? { withEstimator: (other: Estimator) => floatUntil(switchName, withEstimator(other)) } : {}),
  });
}

/** A quantizer whose own form under `binaryWeights` 0 is that of its paper's first stage. */
export const withFloatForm = <Out>(quantizer: Quantizer<Out>): Quantizer<Out> =>
  Object.assign(quantizer, { switchedBy: binaryWeights });

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
