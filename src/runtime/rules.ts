import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import { convOf, imageOf, poolOf } from './geometry.ts';
import type { OpName, PackedNode } from './graph.ts';
import type { NodeOf } from './step.ts';

type Kind = 'floats' | 'signs';

/** What a node of an op must be for its kernels to be safe: they trust sizes. */
export interface OpRule<O extends OpName> {
  /** How many, or from how many to how many. */
  readonly inputs: readonly [least: number, most: number];
  readonly takes: Kind;
  readonly gives: Kind;
  /** Does the shape that the node claims follow from its fields and its inputs? */
  readonly fits: (node: NodeOf<O>, inputs: readonly Shape[]) => boolean;
}

const [one, two] = [
  [1, 1],
  [2, 2],
] as const;
const last = (shape: Shape | undefined) => shape?.at(-1) ?? 1;
const size = (shape: Shape | undefined) => sizeOf(shape ?? []);
const pixels = (shape: Shape | undefined) => size(shape) / last(shape);

/** Same shapes; a vector is an image of one pixel. */
const alike = (a: Shape, b: Shape) => sameShape(a, b) || (pixels(a) === 1 && pixels(b) === 1 && last(a) === last(b));
const allAlike = (node: PackedNode, inputs: readonly Shape[]) => inputs.every((shape) => alike(shape, node.shape));
const firstAlike = (node: PackedNode, [x]: readonly Shape[]) => alike(x!, node.shape);

function convFits(node: Parameters<typeof convOf>[0], inputs: readonly Shape[]): boolean {
  const g = convOf(node, inputs[0]!);
  return (
    inputs.every((shape) => alike(shape, inputs[0]!)) &&
    g.inChannels % g.groups === 0 &&
    alike(node.shape, [g.outHeight, g.outWidth, g.outChannels])
  );
}

function poolFits(node: Parameters<typeof poolOf>[0], [x]: readonly Shape[]): boolean {
  const g = poolOf(node, x!);
  return alike(node.shape, [g.outHeight, g.outWidth, g.channels]);
}

const elementwise = { inputs: one, takes: 'floats', gives: 'floats', fits: allAlike } as const;
const binary = { ...elementwise, inputs: two } as const;
const toSigns = { ...elementwise, gives: 'signs' } as const;
const conv = { inputs: one, takes: 'floats', gives: 'floats', fits: convFits } as const;
const xnor = { ...conv, takes: 'signs' } as const;
const pool = { inputs: one, takes: 'floats', gives: 'floats', fits: poolFits } as const;

/** One row for every op: the compiler asks for it. */
export const rules: { readonly [O in OpName]: OpRule<O> } = {
  conv2d: conv,
  signConv2d: conv,
  xnorConv2d: xnor,
  xnorConv2dThreshold: { ...xnor, gives: 'signs' },
  planesConv2d: { ...xnor, inputs: [1, 8] },
  codePlane: toSigns,
  sign: toSigns,
  affineSign: toSigns,
  affine: { ...elementwise, inputs: [1, 2] },
  dense: { ...elementwise, fits: (node) => node.shape.length === 1 },
  prelu: elementwise,
  relu: elementwise,
  hardtanh: elementwise,
  sigmoid: elementwise,
  tanh: elementwise,
  softsign: elementwise,
  codeLevels: elementwise,
  unitLevels: elementwise,
  add: binary,
  multiply: binary,
  /** A factor for each pixel. */
  pixelScale: { ...binary, fits: (node, [x, factor]) => firstAlike(node, [x!]) && size(factor) === pixels(x) },
  channelAbsMean: { ...elementwise, fits: (node, [x]) => size(node.shape) === pixels(x) },
  /** A factor for each image. */
  sampleScale: { ...binary, fits: (node, [x, factor]) => firstAlike(node, [x!]) && size(factor) === 1 },
  sampleAbsMean: { ...elementwise, fits: (node) => size(node.shape) === 1 },
  signResidual: { ...binary, fits: (node, [x, beta]) => firstAlike(node, [x!]) && size(beta) === 1 },
  channelGate: { ...binary, fits: (node, [x, gate]) => firstAlike(node, [x!]) && size(gate) === last(x) },
  concat: {
    ...elementwise,
    inputs: [1, 64],
    fits: (node, inputs) =>
      inputs.every((shape) => sameShape(shape.slice(0, -1), node.shape.slice(0, -1))) &&
      inputs.reduce((sum, shape) => sum + last(shape), 0) === last(node.shape),
  },
  globalAvgPool: { ...elementwise, fits: (node, [x]) => sameShape(node.shape, [last(x)]) },
  reshape: { ...elementwise, fits: (node, [x]) => size(node.shape) === size(x) },
  interact: {
    ...elementwise,
    fits: (node, [x]) =>
      firstAlike(node, [x!]) && node.edges.every(({ from, to }) => Math.max(from, to) < last(node.shape)),
  },
  scale: elementwise,
  sampleNormalise: elementwise,
  addOuter: { ...binary, fits: (node, [x, factor]) => firstAlike(node, [x!]) && size(factor) === pixels(x) },
  positionScale: elementwise,
  positionShift: elementwise,
  maxPool: pool,
  avgPool: pool,
  maxPoolSigns: { ...pool, takes: 'signs', gives: 'signs' },
  subsamplePad: {
    ...elementwise,
    fits: (node, [x]) => {
      const [height, width, channels] = imageOf(node, x!);
      const [rows, columns] = [height, width].map((side) => Math.ceil(side / node.stride));
      return alike(node.shape, [rows!, columns!, last(node.shape)]) && channels <= last(node.shape);
    },
  },
  sliceChannels: {
    ...elementwise,
    fits: (node, [x]) =>
      node.begin < node.end &&
      node.end <= last(x) &&
      sameShape(node.shape, [...x!.slice(0, -1), node.end - node.begin]),
  },
};
