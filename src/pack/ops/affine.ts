import { affine as packed } from '../../runtime/ops/affine.ts';
import { defineTranslation, nodeOf, stored, type Trace } from '../translation.ts';

type Traced = Trace<{ scale: Float32Array; shift: Float32Array; low: number; high: number }>;

/** JSON has no infinity. */
const bound = (value: number) => (Number.isFinite(value) ? value : value < 0 ? '-inf' : 'inf');

export const affine = defineTranslation(
  'affine',
  'normalises',
  ({ attributes: { scale, shift, low, high } }: Traced, at) => [
    nodeOf(packed, at, { scale: stored(scale), shift: stored(shift), low: bound(low), high: bound(high) }),
  ],
);
