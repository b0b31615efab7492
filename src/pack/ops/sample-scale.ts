import { sampleScale as packed } from '../../runtime/ops/sample-scale.ts';
import { scale } from '../../runtime/ops/scale.ts';
import type { Attributes } from '../../tensor/tape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

/** A learned factor is a constant of the packed graph, one measured on the image is not. */
export const sampleScale = defineTranslation(
  'sampleScale',
  'passes',
  ({ inputs: [, factor] }: Trace<Attributes, readonly [Tensor, Tensor]>, at) => [
    at.inputs.length === 2 ? nodeOf(packed, at, {}) : nodeOf(scale, at, { factor: factor.data[0]! }),
  ],
);
