import { threads } from '../backend/select.ts';
import { wordsFor } from '../core/bits.ts';
import { type ConvGeometry, convGeometry, filterSize } from '../core/conv-geometry.ts';
import { list, oneOf, type Reader, type ReadFields, whole } from '../core/fields.ts';
import { quoted } from '../core/printable.ts';
import type { Shape } from '../core/shape.ts';
import { forBatch } from './for-batch.ts';
import {
  alike,
  asImage,
  type Cost,
  count,
  type Memory,
  type Place,
  small,
  type TensorName,
  tensor,
  type ValueKind,
} from './op.ts';
import type { ModelTensors } from './tensors.ts';

/** Fields of every convolution. */
export const convFields = {
  kernel: list(small, 2, 2) as Reader<[number, number]>,
  stride: small,
  /** Zeros on every side. */
  pad: whole(0, 1024),
  dilation: small,
  groups: count,
  /** Of the output. */
  channels: count,
  filter: tensor,
};
/** What lies outside the image for a product of signs: nothing, or +1. */
export const padding = oneOf('zero', 'one');
type ConvNode = ReadFields<typeof convFields> & { readonly name: string };

/** For `batch` images. @throws ShapeError when the fields do not fit the input */
export function convOf(node: ConvNode, input: Shape, batch = 1): ConvGeometry | null {
  const image = asImage(input);
  if (!image || image[2] % node.groups !== 0) return null;
  const filter = [...node.kernel, image[2] / node.groups, node.channels];
  return convGeometry(`node ${quoted(node.name)}`, [batch, ...image], filter, node);
}

/** The same of a node whose shape was found to fit, for any number of images. */
export function geometryOf({ node, inputs }: Place<ConvNode>): (batch: number) => ConvGeometry {
  const geometry = convOf(node, inputs[0]!.shape)!;
  return forBatch((batch) => ({ ...geometry, batch }));
}

const reachOf = (g: ConvGeometry) => filterSize(g) / g.outChannels;
const paddedPixels = (g: ConvGeometry) => (g.height + 2 * g.pad) * (g.width + 2 * g.pad);

/** Packed panels of a matrix product, of blocks of fixed size, and a row block for each thread. */
export const productScratch = (): number => 2 ** 23 + 2 ** 18 * threads();

/** The columns of im2col (WebAssembly), the padded image and the filter in panels of whole vectors (native). */
export function floatConvScratch(g: ConvGeometry): number {
  const columns = g.outHeight * g.outWidth * reachOf(g);
  const panels = 2 * Math.max(8, g.outChannels / g.groups) * g.groups * reachOf(g);
  return 4 * (columns + paddedPixels(g) * g.inChannels + panels) + productScratch();
}

/**
 * A float convolution by the filter as floats; or (native) 16 sums of every four channels for each row that the filter reaches, the sums of a
 * row for each output channel, and a code of two bytes for each four weights.
 */
export function signConvScratch(g: ConvGeometry): number {
  const [rows, columns] = [g.kernelHeight, g.kernelWidth].map((side) => Math.max(g.pad, g.dilation * (side - 1)) + 1);
  const tables = 16 * (g.inChannels / 4 + 1) * (g.width + 16) * rows!;
  const sums = (g.outChannels + 8) * (Math.max(g.width, g.outWidth) + 2 * columns! + 32);
  const codes = ((g.inChannels + 4) / 2) * g.kernelHeight * g.kernelWidth * (g.outChannels + 8);
  return floatConvScratch(g) + 4 * (filterSize(g) + threads() * (tables + sums) + codes);
}

/** The padded image with a byte or two for each sign, integer sums, and what border pixels start from: rows and columns that see other taps. */
function xnorScratch(g: ConvGeometry): number {
  const image = 8 * g.groups * Math.ceil(g.inChannels / g.groups / 16) * (paddedPixels(g) + 2 * g.stride);
  const [rows, columns] = [Math.min(g.outHeight, 2 * g.kernelHeight + 1), Math.min(g.outWidth, 2 * g.kernelWidth + 1)];
  const border = 4 * rows * columns * g.outChannels + 8 * rows * g.outWidth;
  return image + border + 4 * g.outHeight * g.outWidth * g.outChannels;
}

/** Of the filter's signs in words. */
export const looseBytes = (g: ConvGeometry): number =>
  4 * wordsFor(g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);

/** What a convolution costs whose weights and inputs have so many bits. */
export function convCost(place: Place<ConvNode>, weightBits: number, inputBits: number): Cost {
  const g = geometryOf(place)(1);
  const weights = filterSize(g);
  return { weights, weightBits, inputBits, macs: weights * g.outHeight * g.outWidth };
}

/** Floats in, floats out. */
export const conv = {
  takes: ['floats'] as readonly ValueKind[],
  gives: 'floats' as ValueKind,
  shape: (node: ConvNode, inputs: readonly Shape[]): Shape | null => {
    const g = convOf(node, inputs[0]!);
    return g && inputs.every((shape) => alike(shape, inputs[0]!)) ? [g.outHeight, g.outWidth, g.outChannels] : null;
  },
};

/** Signs by signs. */
export const xnor = {
  ...conv,
  takes: ['signs'] as readonly ValueKind[],
  cost: (place: Place<ConvNode>) => convCost(place, 1, 1),
  memory: (place: Place<ConvNode>): Memory => {
    const g = geometryOf(place)(1);
    return { constants: looseBytes(g) + 4 * place.kernels.preparedFilterWords(g), scratch: xnorScratch(g) };
  },
};

/** The packed filter of a node. */
export function filterWords(filter: TensorName, g: ConvGeometry, tensors: ModelTensors): Uint32Array {
  return tensors.filterWords(filter, g.outChannels, g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);
}

/** The same, also in the backend's layout. */
export function xnorFilter({ node, kernels }: Place<ConvNode>, g: ConvGeometry, tensors: ModelTensors) {
  const words = filterWords(node.filter, g, tensors);
  const filter = new Uint32Array(kernels.preparedFilterWords(g));
  kernels.prepareXnorFilter(words, filter, g);
  return { words, filter };
}
