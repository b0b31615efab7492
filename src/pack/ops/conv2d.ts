import { PackError } from '../../core/errors.ts';
import { conv2d as packed } from '../../runtime/ops/conv2d.ts';
import { SignTensor, type Tensor } from '../../tensor/tensor.ts';
import {
  type ConvAttributes,
  convFieldsOf,
  defineTranslation,
  nodeOf,
  storedWeights,
  type Trace,
} from '../translation.ts';

export const conv2d = defineTranslation(
  'conv2d',
  'computes',
  ({ attributes: { geometry }, inputs: [x, filter] }: Trace<ConvAttributes, readonly [Tensor, Tensor]>, at) => {
    if (x instanceof SignTensor)
      throw new PackError(
        `pack: "${at.name}" multiplies signs by float weights; its method binarizes weights later in the training: finish the run first`,
      );
    const { weights, codeScale } = storedWeights(filter);
    return [nodeOf(packed, at, { ...convFieldsOf(geometry), filter: weights, codeScale })];
  },
);
