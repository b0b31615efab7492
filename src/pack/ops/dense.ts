import { dense as packed } from '../../runtime/ops/dense.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf, stored, storedWeights } from '../translation.ts';

type Inputs = readonly [Tensor, Tensor, ...Tensor[]];

export const dense = defineTranslation('dense', 'computes', (_, at, [, matrix, bias]: Inputs) => {
  const { weights: weight, codeScale } = storedWeights(matrix);
  return [nodeOf(packed, at, { channels: matrix.channels, weight, codeScale, bias: bias && stored(bias.data) })];
});
