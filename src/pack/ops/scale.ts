import { scale as packed } from '../../runtime/ops/scale.ts';
import { defineTranslation, nodeOf } from '../translation.ts';

export const scale = defineTranslation('scale', 'passes', ({ factor }: { factor: number }, at) => [
  nodeOf(packed, at, { factor }),
]);
