import type { BinaryPadding } from '../../backend/kernels.ts';
import { xnorConv2d } from '../../runtime/ops/xnor-conv2d.ts';
import type { SignFilter, Tensor } from '../../tensor/tensor.ts';
import { type ConvAttributes, convFieldsOf, defineTranslation, nodeOf, stored, storedSigns } from '../translation.ts';

type Attributes = ConvAttributes & { padding: BinaryPadding };
type Inputs = readonly [Tensor, SignFilter];

export const binaryConv2d = defineTranslation(
  'binaryConv2d',
  'computes',
  (given: Attributes, at, [, filter]: Inputs) => {
    const { geometry: g, padding } = given;
    const tensors = { filter: storedSigns(filter, g), alpha: stored(filter.scale) };
    return [nodeOf(xnorConv2d, at, { ...convFieldsOf(g), padding, ...tensors })];
  },
);
