import { scale as packed } from '../../runtime/ops/scale.ts';
import { defineTranslation, nodeOf, type Trace } from '../translation.ts';

export const scale = defineTranslation(
  'scale',
  'passes',
  ({ attributes: { factor } }: Trace<{ factor: number }>, at) => [nodeOf(packed, at, { factor })],
);
