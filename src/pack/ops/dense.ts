import { dense as packed } from '../../runtime/ops/dense.ts';
import type { Attributes } from '../../tensor/tape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf, stored, storedWeights, type Trace } from '../translation.ts';

export const dense = defineTranslation(
  'dense',
  'computes',
  ({ inputs: [, matrix, bias], output }: Trace<Attributes, readonly [Tensor, Tensor, ...Tensor[]]>, at) => {
    const { weights, codeScale } = storedWeights(matrix);
    const fields = { channels: output.channels, weight: weights, codeScale, bias: bias && stored(bias.data) };
    return [nodeOf(packed, at, fields)];
  },
);
