import type { Random } from '../core/random.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { Estimator } from './estimators.ts';

/** The layer a quantizer is about to serve. */
export interface LayerStart {
  /** Latent weights [KH,KW,Cin,Cout] as initialised. */
  readonly weight: Tensor;
  /** [H,W,Cin] and [OH,OW,Cout]. */
  readonly input: Shape;
  readonly output: Shape;
  readonly random: Random;
}

/** First values of something a quantizer learns. */
export interface Initial {
  readonly values: Float32Array;
  /** Default: a vector. */
  readonly shape?: Shape;
  /** Weight decay applies; default no. */
  readonly decay?: boolean;
  /** Multiplies the learning rate. */
  readonly rateFactor?: number;
}

/** What a quantizer keeps in every layer: `learned` by gradient, `kept` without one (moving averages, masks). */
export interface LayerValues {
  readonly learned?: Readonly<Record<string, Initial>>;
  readonly kept?: Readonly<Record<string, Float32Array>>;
}

/** The values of one layer, by name; those of weights, activations and outputs lie together. */
export interface LayerOwn {
  readonly learned: Readonly<Record<string, Tensor>>;
  readonly kept: Readonly<Record<string, Float32Array>>;
}

const nothingOwn: LayerOwn = { learned: {}, kept: {} };

/** A map of weights, of activations or of a layer's output, possibly with values of its own per layer. */
export interface Quantizer<Out> {
  /** @param own what `start` gave this layer; only quantizers with a `start` need it */
  (x: Tensor, context: BinarizeContext, own?: LayerOwn): Out;
  /** First values of what each layer learns and keeps. */
  readonly start?: (layer: LayerStart) => LayerValues;
  /** The same with another slope for sign; only where a plain sign is all that is estimated. */
  readonly withEstimator?: (estimator: Estimator) => Quantizer<Out>;
  /** Schedule value that makes it give floats of its own kind while it is 0 (`floatUntil` leaves such a one alone). */
  readonly switchedBy?: string;
}

/** A quantizer whose estimator can be exchanged. */
export function estimated<Out>(make: (estimator: Estimator) => Quantizer<Out>, estimator: Estimator): Quantizer<Out> {
  return Object.assign(make(estimator), { withEstimator: (other: Estimator) => estimated(make, other) });
}

/** A quantizer that starts each layer with values of its own. */
export function learning<Out>(
  start: NonNullable<Quantizer<Out>['start']>,
  apply: (x: Tensor, context: BinarizeContext, own: LayerOwn) => Out,
): Quantizer<Out> {
  return Object.assign((x: Tensor, context: BinarizeContext, own = nothingOwn) => apply(x, context, own), { start });
}

/** The values of several quantizers of one layer. */
export function joinedStart(
  quantizers: readonly Pick<Quantizer<unknown>, 'start'>[],
): NonNullable<Quantizer<unknown>['start']> {
  return (layer) => {
    const all = quantizers.map(({ start }) => start?.(layer) ?? {});
    return {
      learned: Object.assign({}, ...all.map(({ learned }) => learned)),
      kept: Object.assign({}, ...all.map(({ kept }) => kept)),
    };
  };
}

/** Applied to a binary layer's product; `input` is what came into the layer, before its quantizer. */
export interface OutputMap extends Pick<Quantizer<Tensor>, 'start'> {
  (y: Tensor, context: BinarizeContext, own: LayerOwn, input: Tensor): Tensor;
}

/** An output map that starts each layer with values of its own. */
export function learningOutput(
  start: NonNullable<OutputMap['start']>,
  apply: (y: Tensor, own: LayerOwn, input: Tensor, context: BinarizeContext) => Tensor,
): OutputMap {
  const map = (y: Tensor, context: BinarizeContext, own: LayerOwn, input: Tensor) => apply(y, own, input, context);
  return Object.assign(map, { start });
}
