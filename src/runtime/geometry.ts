import { type ConvGeometry, convGeometry, type PoolGeometry, poolGeometry } from '../core/conv-geometry.ts';
import { FormatError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import type { PackedNode } from './graph.ts';
import type { NodeOf } from './step.ts';

export type ConvNode = NodeOf<'conv2d' | 'signConv2d' | 'xnorConv2d' | 'xnorConv2dThreshold' | 'planesConv2d'>;
export type PoolNode = NodeOf<'maxPool' | 'avgPool' | 'maxPoolSigns'>;

/** The shape as an image; a vector is one pixel. @throws FormatError for any other rank */
export function imageOf(node: PackedNode, shape: Shape): [number, number, number] {
  if (shape.length === 3) return shape as unknown as [number, number, number];
  if (shape.length === 1) return [1, 1, shape[0]!];
  throw new FormatError(`node ${quoted(node.name)} (${node.op}) needs an image [H,W,C], got ${formatShape(shape)}`);
}

/** Of one image. @throws ShapeError when the fields do not fit the input */
export function convOf(node: ConvNode, input: Shape): ConvGeometry {
  const [height, width, channels] = imageOf(node, input);
  const filter = [node.kernel[0], node.kernel[1], channels / node.groups, node.shape.at(-1)!];
  return convGeometry(`node ${quoted(node.name)}`, [1, height, width, channels], filter, node);
}

/** Of one image. @throws ShapeError when the window does not fit the input */
export function poolOf(node: PoolNode, input: Shape): PoolGeometry {
  return poolGeometry(`node ${quoted(node.name)}`, [1, ...imageOf(node, input)], node.window, node.stride, node.pad);
}
