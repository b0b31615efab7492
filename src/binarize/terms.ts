import type { PlaneTensor, SignFilter, SignTensor, Tensor } from '../tensor/tensor.ts';

/** One summand of a few-bit activation: bits times a factor. */
export interface ActivationTerm {
  readonly bits: SignTensor | PlaneTensor;
  /** One number [1], or one per image [N]; absent: 1. */
  readonly scale?: Tensor;
}

/** Activations written as sum_j scale_j bits_j + offset: one binary convolution per term. */
export interface ActivationSum {
  readonly terms: readonly ActivationTerm[];
  /** [1] */
  readonly offset?: Tensor;
}

/** Weights written as sum_i filter_i, each alpha_i times signs: one binary convolution per filter. */
export interface FilterSum {
  readonly filters: readonly SignFilter[];
  /** [Cout], added to every weight of a filter. */
  readonly offset?: Tensor;
}

/** What an activation quantizer gives to a binary layer: bits, bit-planes, floats, or a sum of those with scales and offsets. */
export type ActivationBits = SignTensor | PlaneTensor | Tensor | ActivationSum;
/** What a weight quantizer gives: the signs of a filter with a scale for each output channel, floats, or a sum of those. */
export type WeightBits = SignFilter | Tensor | FilterSum;
