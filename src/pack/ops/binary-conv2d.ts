import type { BinaryPadding } from '../../backend/kernels.ts';
import { xnorConv2d } from '../../runtime/ops/xnor-conv2d.ts';
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

type Traced = Trace<ConvAttributes & { padding: BinaryPadding }, readonly [Tensor, SignFilter]>;

export const binaryConv2d = defineTranslation(
  'binaryConv2d',
  'computes',
  ({ attributes: { geometry, padding }, inputs: [, filter] }: Traced, at) => [
    nodeOf(xnorConv2d, at, {
      ...convFieldsOf(geometry),
      padding,
      filter: storedSigns(filter, geometry),
      alpha: stored(filter.scale),
    }),
  ],
);
