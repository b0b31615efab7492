import type { BinaryPadding } from '../backend/kernels.ts';
import type { ActivationQuantizer } from '../binarize/activations.ts';
import type { ActivationBits, WeightBits } from '../binarize/terms.ts';
import type { WeightQuantizer } from '../binarize/weights.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Conv2dOptions } from './layers.ts';
import type { AnyModule, Module, Named, Parameter, StateArray } from './module.ts';

/** Height and width of maps. */
export type Size = readonly [height: number, width: number];

export interface BinaryConv2dOptions extends Conv2dOptions {
  readonly padding?: BinaryPadding;
  /** Of the maps that will come in; some quantizers have values for each position. Default: that of the first ones that do. */
  readonly size?: Size;
}

/**
 * A layer that a method binarizes, of whatever class: all that metrics, clipping, update rules, layer-wise fits, policies, reports and lint know of
 * one. Every module with latent weights is one; it tells what it saw with `observe`.
 */
export interface BinaryLayer extends Module {
  /** Latent weights, of role `latent`. */
  readonly weight: Parameter;
  /** What its quantizers learn, and what they keep beside it. */
  readonly learned: Readonly<Record<string, Parameter>>;
  readonly kept: Readonly<Record<string, StateArray>>;
  /** The convolution that it is; a dense layer is one of 1x1 pixels. */
  readonly options: BinaryConv2dOptions;
  /** Its input are the pixels, and stay floats. */
  readonly pixels: boolean;
  /** From now on it computes with other quantizers than its method's. */
  requantize(quantizers: { readonly weight: WeightQuantizer; readonly activation: ActivationQuantizer }): void;
  /** What its quantizers learn and keep begins, or begins anew, for its weights as they are. */
  start(): void;
}

/** Whether a module binarizes latent weights. */
export const isBinaryLayer = (module: AnyModule): module is BinaryLayer =>
  (module as Partial<BinaryLayer>).weight?.role === 'latent';

/** The binary layers of a module and of all in it, in the order of their definition, by their paths. */
export const binaryLayersOf = (module: AnyModule): Named<BinaryLayer>[] =>
  module.modules().flatMap(({ name, value }) => (isBinaryLayer(value) ? [{ name, value }] : []));

/** What a layer saw and used in one forward pass. */
export interface LayerProbe {
  readonly layer: BinaryLayer;
  readonly input: Tensor;
  readonly activation: ActivationBits;
  readonly filter: WeightBits;
}

let probe: ((observation: LayerProbe) => void) | null = null;

/** Calls `see` for every binary layer that runs inside `body`. */
export function withProbe<T>(see: (observation: LayerProbe) => void, body: () => T): T {
  probe = see;
  try {
    return body();
  } finally {
    probe = null;
  }
}

/** A binary layer tells in its forward pass what it sees and uses. */
export const observe = (observation: LayerProbe): void => probe?.(observation);
