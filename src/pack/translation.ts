import type { ConvGeometry, PoolGeometry } from '../core/conv-geometry.ts';
import type { StoredTensor } from '../core/safetensors.ts';
import type { Shape } from '../core/shape.ts';
import { tighten } from '../core/tight-bits.ts';
import type { LevelCodes } from '../exact/level-codes.ts';
import type { Fields, PackedOp, StoredNode, TensorName } from '../runtime/op.ts';
import { codeOffset } from '../runtime/tensors.ts';
import type { Attributes } from '../tensor/tape.ts';
import { CodedFilter, type SignFilter, type Tensor } from '../tensor/tensor.ts';
import type { DraftNode } from './draft.ts';

/** What an op does to values, for those that look for the norm or sign of a layer past it. */
export type Effect =
  /** Normalised values stay so. */
  | 'keeps'
  /** Values are moved, scaled or summed. */
  | 'passes'
  | 'pools'
  | 'normalises'
  | 'rectifies'
  | 'signs'
  /** Anything else. */
  | 'computes';

type Given<T> = T extends TensorName ? StoredTensor : T;
/** Fields of a node with the tensors themselves in place of their names. */
export type GivenFields<F extends Fields> = {
  [K in keyof Omit<StoredNode<string, F>, 'op' | 'name' | 'inputs' | 'output'>]: Given<StoredNode<string, F>[K]>;
};

/** Where a node comes. */
interface NodePosition {
  readonly name: string;
  /** Values of the packed graph that the traced op reads; constants are none. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** What its output must equal. */
  readonly expected: Tensor | null;
}

/** Where the nodes of a traced op come: `output` is the first number that is free, `expected` what the op gave. */
export interface Position extends NodePosition {
  readonly expected: Tensor;
  /** The node that computes a value. */
  readonly producer: (value: number) => DraftNode | undefined;
}

/** How one op of the trace becomes nodes of the packed graph. */
export interface Translation {
  /** As it is recorded. */
  readonly traced: string;
  readonly effect: Effect;
  /**
   * The nodes, of which the last gives the op's output; none where the output is the first input under another name.
   *
   * @param attributes that the op was recorded with
   * @param inputs constants among them
   */
  nodes(attributes: Attributes, at: Position, inputs: readonly Tensor[]): readonly DraftNode[];
}

/**
 * How a traced op is packed: one of this package, or yours for `pack(network, images, { ops: [yours] })`.
 *
 * @param traced the name that the op is recorded with
 * @example
 * const squares = defineTranslation('square', 'computes', (_attributes, at) => [nodeOf(square, at, {})]);
 */
export const defineTranslation = (traced: string, effect: Effect, nodes: Translation['nodes']): Translation => ({
  traced,
  effect,
  nodes,
});

/** Of an op that is packed under its own name and says nothing but its inputs. */
export const unchanged = <Id extends string>(op: PackedOp<Id, Readonly<Record<never, never>>>, effect: Effect) =>
  defineTranslation(op.op, effect, (_, at) => [nodeOf(op, at, {})]);

const isTensor = (value: unknown): value is StoredTensor =>
  typeof value === 'object' && value !== null && 'data' in value && ArrayBuffer.isView(value.data);

/** A node of a packed op. Its tensors are called after the node and their fields. */
export function nodeOf<Id extends string, F extends Fields>(
  op: PackedOp<Id, F>,
  { name, inputs, output, expected }: NodePosition,
  given: GivenFields<F>,
): DraftNode {
  const tensors = new Map<string, StoredTensor>();
  const fields = Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined) return [];
    if (!isTensor(value)) return [[key, value]];
    tensors.set(`${name}.${key}`, value);
    return [[key, `${name}.${key}`]];
  });
  const node = { op: op.op, name, inputs: [...inputs], output, ...Object.fromEntries(fields) };
  return { op, node, tensors, expected };
}

/** A copy: traced values live in storage that is used again. */
export const stored = (data: StoredTensor['data'], shape: Shape = [data.length]): StoredTensor => ({
  shape,
  data: data.slice(),
});

/** Attributes of a convolution. */
export type ConvAttributes = { readonly geometry: ConvGeometry };

export const convFieldsOf = (g: ConvGeometry) => ({
  kernel: [g.kernelHeight, g.kernelWidth] as [number, number],
  stride: g.stride,
  pad: g.pad,
  dilation: g.dilation,
  groups: g.groups,
  channels: g.outChannels,
});

/** Attributes of a pooling. */
export type PoolAttributes = { readonly geometry: PoolGeometry };

export const poolFieldsOf = ({ geometry: { window, stride, pad } }: PoolAttributes) => ({ window, stride, pad });

/** Floats, or whole codes in bytes with a factor per output channel. */
export function storedWeights(tensor: Tensor): { weights: StoredTensor; codeScale?: StoredTensor } {
  const { shape } = tensor;
  if (!(tensor instanceof CodedFilter)) return { weights: stored(tensor.data, shape) };
  const bytes = Uint8Array.from(tensor.codes, (code) => code + codeOffset);
  return { weights: { shape, data: bytes }, codeScale: stored(tensor.scale) };
}

/** Thresholds and patterns of a few-bit activation. */
export const codesOf = ({ thresholds, patterns }: LevelCodes) => ({
  thresholds: stored(thresholds),
  patterns: stored(patterns),
  levels: patterns.length,
});

/** A sign filter's bits, [outChannels, taps, inChannels] one after the other. */
export function storedSigns(filter: SignFilter, g: ConvGeometry): StoredTensor {
  const data = tighten(filter.words, g.outChannels * g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);
  return { shape: [data.length], data };
}
