import { signConv2d as packed } from '../../runtime/ops/sign-conv2d.ts';
import type { SignFilter, Tensor } from '../../tensor/tensor.ts';
import {
  type ConvAttributes,
  convFieldsOf,
  defineTranslation,
  nodeOf,
  stored,
  storedSigns,
  type Trace,
} from '../translation.ts';

export const signConv2d = defineTranslation(
  'signConv2d',
  'computes',
  ({ attributes: { geometry }, inputs: [, filter] }: Trace<ConvAttributes, readonly [Tensor, SignFilter]>, at) => [
    nodeOf(packed, at, {
      ...convFieldsOf(geometry),
      filter: storedSigns(filter, geometry),
      alpha: stored(filter.scale),
    }),
  ],
);
