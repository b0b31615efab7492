import { affine as packed } from '../../runtime/ops/affine.ts';
import { defineTranslation, nodeOf, stored } from '../translation.ts';

type Attributes = { scale: Float32Array; shift: Float32Array; low: number; high: number };

/** JSON has no infinity. */
const bound = (value: number) => (Number.isFinite(value) ? value : value < 0 ? '-inf' : 'inf');

export const affine = defineTranslation('affine', 'normalises', ({ scale, shift, low, high }: Attributes, at) => [
  nodeOf(packed, at, { scale: stored(scale), shift: stored(shift), low: bound(low), high: bound(high) }),
]);
