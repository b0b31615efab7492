import type { Kernels } from '../backend/kernels.ts';
import { threads } from '../backend/select.ts';
import { wordsFor } from '../core/bits.ts';
import type { ConvGeometry } from '../core/conv-geometry.ts';
import { FormatError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { sizeOf } from '../core/shape.ts';
import { planBuffers } from './buffers.ts';
import { type ConvNode, convOf } from './geometry.ts';
import type { OpName, PackedGraph, PackedNode } from './graph.ts';
import { channelsOf, type NodeOf, rowsOf, type ValueType } from './step.ts';

/** What a model may take to run one image, in bytes, when nobody says: far more than any published binary network. */
export const usualMaxBytes = 2 ** 30;

/** Bytes that a node takes beside its output. */
interface Cost {
  /** Arrays made of the file's tensors when the model is loaded. */
  readonly constants?: number;
  /** Arrays that the node keeps from image to image. */
  readonly kept?: number;
  /** Upper bound, over all backends, of what its kernels take while they run: one node's at a time. */
  readonly scratch?: number;
}

/** Length of the array that holds `batch` values of this type. */
export function storageLength(type: ValueType, batch: number): number {
  return batch * (type.packed ? wordsFor(rowsOf(type), channelsOf(type)) : sizeOf(type.shape));
}
const bytesOf = (type: ValueType) => 4 * storageLength(type, 1);

/** Packed panels of a matrix product, of blocks of fixed size, and a row block for each thread. */
const productScratch = () => 2 ** 23 + 2 ** 18 * threads();

const reachOf = (g: ConvGeometry) => (g.kernelHeight * g.kernelWidth * g.inChannels) / g.groups;
const paddedPixels = (g: ConvGeometry) => (g.height + 2 * g.pad) * (g.width + 2 * g.pad);

/** The columns of im2col (WebAssembly), the padded image and the filter in panels of whole vectors (native). */
function floatConvScratch(g: ConvGeometry): number {
  const columns = g.outHeight * g.outWidth * reachOf(g);
  const panels = 2 * Math.max(8, g.outChannels / g.groups) * g.groups * reachOf(g);
  return 4 * (columns + paddedPixels(g) * g.inChannels + panels) + productScratch();
}

/**
 * A float convolution by the filter as floats; or (native) 16 sums of every four channels for each row that the filter reaches, the sums of a
 * row for each output channel, and a code of two bytes for each four weights.
 */
function signConvScratch(g: ConvGeometry): number {
  const [rows, columns] = [g.kernelHeight, g.kernelWidth].map((side) => Math.max(g.pad, g.dilation * (side - 1)) + 1);
  const tables = 16 * (g.inChannels / 4 + 1) * (g.width + 16) * rows!;
  const sums = (g.outChannels + 8) * (Math.max(g.width, g.outWidth) + 2 * columns! + 32);
  const codes = ((g.inChannels + 4) / 2) * g.kernelHeight * g.kernelWidth * (g.outChannels + 8);
  return floatConvScratch(g) + 4 * (reachOf(g) * g.outChannels + threads() * (tables + sums) + codes);
}

/** The padded image with a byte or two for each sign, integer sums, and what border pixels start from: rows and columns that see other taps. */
function xnorScratch(g: ConvGeometry): number {
  const image = 8 * g.groups * Math.ceil(g.inChannels / g.groups / 16) * (paddedPixels(g) + 2 * g.stride);
  const [rows, columns] = [Math.min(g.outHeight, 2 * g.kernelHeight + 1), Math.min(g.outWidth, 2 * g.kernelWidth + 1)];
  const border = 4 * rows * columns * g.outChannels + 8 * rows * g.outWidth;
  return image + border + 4 * g.outHeight * g.outWidth * g.outChannels;
}

const looseBytes = (g: ConvGeometry) =>
  4 * wordsFor(g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);

const xnorCost = (node: ConvNode, [x]: readonly ValueType[], _: ValueType, kernels: Kernels): Cost => {
  const g = convOf(node, x!.shape);
  return { constants: looseBytes(g) + 4 * kernels.preparedFilterWords(g), scratch: xnorScratch(g) };
};

type CostOf<O extends OpName> = (
  node: NodeOf<O>,
  inputs: readonly ValueType[],
  output: ValueType,
  kernels: Kernels,
) => Cost;

const nothing = (): Cost => ({});
const keepsOutput = (_node: PackedNode, _inputs: readonly ValueType[], output: ValueType): Cost => ({
  kept: bytesOf(output),
});

/** One row for every op: the compiler asks for it. */
const costs: { readonly [O in OpName]: CostOf<O> } = {
  conv2d: (node, [x]) => {
    const g = convOf(node, x!.shape);
    return { constants: node.codeScale ? 4 * reachOf(g) * g.outChannels : 0, scratch: floatConvScratch(g) };
  },
  signConv2d: (node, [x]) => {
    const g = convOf(node, x!.shape);
    return { constants: looseBytes(g), scratch: signConvScratch(g) };
  },
  xnorConv2d: xnorCost,
  xnorConv2dThreshold: xnorCost,
  planesConv2d: (node, inputs, output, kernels) => ({
    ...xnorCost(node, inputs, output, kernels),
    kept: inputs.length > 1 ? bytesOf(output) : 0,
  }),
  dense: (node, [x], output) => {
    const weights = 4 * sizeOf(x!.shape) * channelsOf(output);
    return { constants: node.codeScale ? weights : 0, scratch: weights + productScratch() };
  },
  codePlane: keepsOutput,
  addOuter: keepsOutput,
  sampleNormalise: keepsOutput,
  /** Which value was the largest. */
  maxPool: keepsOutput,
  /** Partial sums of up to 32 chunks, and sums in double. */
  globalAvgPool: (_node, _inputs, output) => ({ scratch: 64 * bytesOf(output) }),
  sign: nothing,
  affineSign: nothing,
  affine: nothing,
  prelu: nothing,
  relu: nothing,
  hardtanh: nothing,
  sigmoid: nothing,
  tanh: nothing,
  softsign: nothing,
  codeLevels: nothing,
  unitLevels: nothing,
  add: nothing,
  multiply: nothing,
  pixelScale: nothing,
  channelAbsMean: nothing,
  sampleScale: nothing,
  sampleAbsMean: nothing,
  signResidual: nothing,
  channelGate: nothing,
  concat: nothing,
  reshape: nothing,
  interact: nothing,
  scale: nothing,
  positionScale: nothing,
  positionShift: nothing,
  avgPool: nothing,
  maxPoolSigns: nothing,
  subsamplePad: nothing,
  sliceChannels: nothing,
};

/** What a model allocates to run one image, in bytes; all of it upper bounds. */
export interface MemoryNeed {
  /** The file's tensors, and what is made of them for the backend. */
  readonly weights: number;
  /** The image, the values between nodes, and what nodes keep beside them. */
  readonly activations: number;
  /** What kernels take while they run. */
  readonly scratch: number;
  readonly total: number;
  /** The node whose part is largest. */
  readonly largest: PackedNode;
}

/** Adds up what a graph needs, by shapes alone: nothing is allocated. @param tensorBytes of the file */
export function memoryNeed(
  { nodes, output, input }: PackedGraph,
  types: ReadonlyMap<number, ValueType>,
  tensorBytes: number,
  kernels: Kernels,
): MemoryNeed {
  let [weights, kept, scratch, most] = [tensorBytes, 4 * sizeOf(input), 0, -1];
  let largest = nodes[0]!;
  for (const node of nodes) {
    const [inputs, own] = [node.inputs.map((id) => types.get(id)!), types.get(node.output)!];
    const costOf = costs[node.op] as CostOf<OpName>;
    const cost = { constants: 0, kept: 0, scratch: 0, ...costOf(node as never, inputs, own, kernels) };
    // WebAssembly works on copies of what goes in and out
    const copies = inputs.reduce((sum, type) => sum + bytesOf(type), cost.constants + bytesOf(own));
    const part = cost.constants + cost.kept + cost.scratch + copies;
    if (part > most) [largest, most] = [node, part];
    weights += cost.constants;
    kept += cost.kept;
    scratch = Math.max(scratch, cost.scratch + copies);
  }
  const buffers = planBuffers(nodes, output, (node) => bytesOf(types.get(node.output)!)).bytes;
  const activations = kept + buffers.reduce((sum, bytes) => sum + bytes, 0);
  return { weights, activations, scratch, total: weights + activations + scratch, largest };
}

const binaryUnits = (bytes: number) =>
  bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** @throws FormatError with the sum when a model needs more than is allowed */
export function checkMemory(need: MemoryNeed, maxBytes: number): void {
  if (need.total <= maxBytes) return;
  const [total, weights, activations, scratch, most] = [
    need.total,
    need.weights,
    need.activations,
    need.scratch,
    maxBytes,
  ].map(binaryUnits);
  throw new FormatError(
    `the model needs ${total} to run one image: weights ${weights} + values between layers ${activations} + working memory of kernels ${scratch}, ` +
      `most of it for node ${quoted(need.largest.name)} (${need.largest.op}); allowed are ${most}. ` +
      'If you trust the file, raise the bound: `maxBytes` of loadPackedModel, or --max-bytes 4GiB',
  );
}
