import { type PoolGeometry, poolGeometry } from '../core/conv-geometry.ts';
import { type ReadFields, whole } from '../core/fields.ts';
import { quoted } from '../core/printable.ts';
import type { Shape } from '../core/shape.ts';
import { free } from './elementwise.ts';
import { forBatch } from './for-batch.ts';
import { asImage, type Place, small, type ValueKind } from './op.ts';

const poolFields = { window: small, stride: small, pad: whole(0, 1024) };
type PoolNode = ReadFields<typeof poolFields> & { readonly name: string };

function poolOf(node: PoolNode, input: Shape): PoolGeometry | null {
  const image = asImage(input);
  return image && poolGeometry(`node ${quoted(node.name)}`, [1, ...image], node.window, node.stride, node.pad);
}

/** For any number of images. */
export function poolingOf({ node, inputs }: Place<PoolNode>): (batch: number) => PoolGeometry {
  const geometry = poolOf(node, inputs[0]!.shape)!;
  return forBatch((batch) => ({ ...geometry, batch }));
}

/** Windows of floats. */
export const pool = {
  fields: poolFields,
  takes: ['floats'] as readonly ValueKind[],
  gives: 'floats' as ValueKind,
  shape: (node: PoolNode, [x]: readonly Shape[]): Shape | null => {
    const g = poolOf(node, x!);
    return g && [g.outHeight, g.outWidth, g.channels];
  },
  cost: free,
};
