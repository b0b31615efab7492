import { prelu as packed } from '../../runtime/ops/prelu.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineTranslation, nodeOf, stored } from '../translation.ts';

export const prelu = defineTranslation('prelu', 'computes', (_, at, [, slope]: readonly [Tensor, Tensor]) => [
  nodeOf(packed, at, { slope: stored(slope.data) }),
]);
