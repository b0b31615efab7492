import { PackError } from '../../core/errors.ts';
import { conv2d as packed } from '../../runtime/ops/conv2d.ts';
import { SignTensor, type Tensor } from '../../tensor/tensor.ts';
import { type ConvAttributes, convFieldsOf, defineTranslation, nodeOf, storedWeights } from '../translation.ts';

type Inputs = readonly [Tensor, Tensor];

export const conv2d = defineTranslation('conv2d', 'computes', (given: ConvAttributes, at, [x, filter]: Inputs) => {
  if (x instanceof SignTensor)
    throw new PackError(
      `pack: "${at.name}" multiplies signs by float weights; its method binarizes weights later in the training: finish the run first`,
    );
  const { weights, codeScale } = storedWeights(filter);
  return [nodeOf(packed, at, { ...convFieldsOf(given.geometry), filter: weights, codeScale })];
});
