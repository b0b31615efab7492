import { prelu as packed } from '../../runtime/ops/prelu.ts';
import type { Attributes } from '../../tensor/tape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf, stored, type Trace } from '../translation.ts';

export const prelu = defineTranslation(
  'prelu',
  'computes',
  ({ inputs: [, slope] }: Trace<Attributes, readonly [Tensor, Tensor]>, at) => [
    nodeOf(packed, at, { slope: stored(slope.data) }),
  ],
);
