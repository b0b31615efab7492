import { sampleScale as packed } from '../../runtime/ops/sample-scale.ts';
import { scale } from '../../runtime/ops/scale.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

/** A learned factor is a constant of the packed graph, one measured on the image is not. */
export const sampleScale = defineTranslation(
  'sampleScale',
  'passes',
  (_, at, [, factor]: readonly [Tensor, Tensor]) => [
    at.inputs.length === 2 ? nodeOf(packed, at, {}) : nodeOf(scale, at, { factor: factor.data[0]! }),
  ],
);
