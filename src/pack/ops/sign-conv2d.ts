import { signConv2d as packed } from '../../runtime/ops/sign-conv2d.ts';
import type { SignFilter, Tensor } from '../../tensor/tensor.ts';
import { type ConvAttributes, convFieldsOf, defineTranslation, nodeOf, stored, storedSigns } from '../translation.ts';

type Inputs = readonly [Tensor, SignFilter];

export const signConv2d = defineTranslation(
  'signConv2d',
  'computes',
  (given: ConvAttributes, at, [, filter]: Inputs) => {
    const { geometry: g } = given;
    return [nodeOf(packed, at, { ...convFieldsOf(g), filter: storedSigns(filter, g), alpha: stored(filter.scale) })];
  },
);
