import type { Kernels } from '../backend/kernels.ts';
import { wordsFor } from '../core/bits.ts';
import { list, optional, type Reader, type ReadFields, text, whole } from '../core/fields.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { ModelTensors } from './tensors.ts';

/** How a value lies in memory: float32, or one bit for each sign. */
export type ValueKind = 'floats' | 'signs';

/** A value of the graph. */
export interface ValueType {
  /** Of one row. */
  readonly shape: Shape;
  readonly kind: ValueKind;
  /** How many of these an image has: 1, or for instance the regions that a second stage looks at. */
  readonly rows: number;
}

/** A value while the graph runs: floats or packed signs of `shape`, for every row of every image. */
export interface Value {
  readonly shape: Shape;
  readonly floats: Float32Array;
  readonly words: Uint32Array;
}

/** What an op computes for one row of its output. */
export interface Cost {
  /** Weights of its product; 0: it is none. */
  readonly weights: number;
  readonly weightBits: number;
  /** Bits of the values that the weights are multiplied by. */
  readonly inputBits: number;
  /** Multiply-accumulates. */
  readonly macs: number;
}

/** Bytes that a node takes beside its output: all that it keeps, and of its kernels for one row of its first input. */
export interface Memory {
  /** Arrays made of the file's tensors when the model is loaded. */
  readonly constants?: number;
  /** Arrays that the node keeps from image to image. */
  readonly kept?: number;
  /** Upper bound, over all backends, of what its kernels take while they run: one node's at a time. */
  readonly scratch?: number;
}

/** What runs a node: its constants are loaded. */
export interface Work {
  /** Which kernel does the work, for reports. */
  readonly kernel: string;
  /** Fills the output. @param batch rows of the first input, of all images together */
  readonly run: (inputs: readonly Value[], output: Value, batch: number) => void;
}

declare const isTensorName: unique symbol;
/** Name of a tensor in the node's file. */
export type TensorName = string & { readonly [isTensorName]: true };

/** Whole numbers that a file may say: counts, of channels for instance. */
export const count = whole(1, 1 << 24);
/** Places in lists. */
export const index = whole(0, 1 << 20);
/** Sides of windows, strides and the like. */
export const small = whole(1, 1024);
/** A field that names a tensor. */
export const tensor = text(200) as Reader<TensorName>;
/** One that may name none. */
export const maybeTensor = optional(tensor);
/** A shape of one to four extents. */
export const shape: Reader<readonly number[]> = list(count, 1, 4);

/** What all nodes have. A file before version 3 claims shapes; they must be those that follow. */
export const nodeFields = { name: text(1000), inputs: list(index, 1, 64), output: index, shape: optional(shape) };

/** Fields of a node, each with what reads it. */
export type Fields = Readonly<Record<string, Reader<unknown>>>;
/** A node as a file holds it. */
export type StoredNode<Id extends string = string, F extends Fields = Fields> = { readonly op: Id } & ReadFields<
  typeof nodeFields
> &
  ReadFields<F>;

/** A node between its inputs and its output. */
export interface Place<Node> {
  readonly node: Node;
  readonly inputs: readonly ValueType[];
  readonly output: ValueType;
  readonly kernels: Kernels;
}

/**
 * An op of packed graphs. Kernels trust sizes, so all that they are given follows from what is checked here; a file claims nothing.
 *
 * Methods are called in this order: `shape`, `rows`, `cost`, `memory`, and `prepare` once the sum of memory is allowed.
 */
export interface PackedOp<Id extends string = string, F extends Fields = Fields> {
  /** Its name in files. */
  readonly op: Id;
  /** What a node says beside its name, inputs and output; readers refuse what is no such value. */
  readonly fields: F;
  /** The kind of each input. */
  readonly takes: readonly ValueKind[];
  /** How many inputs it needs, where the last ones may be missing. */
  readonly least?: number;
  readonly gives: ValueKind;
  /** Shape of a row of the output; null, or a ShapeError, when the inputs do not fit. */
  shape(node: StoredNode<Id, F>, inputs: readonly Shape[]): Shape | null;
  /** Rows of the output for each image. Without it, all inputs have the same number, and so has the output. */
  rows?(node: StoredNode<Id, F>, inputs: readonly ValueType[]): number;
  /** What a row of the output costs. */
  cost(place: Place<StoredNode<Id, F>>): Cost;
  /** What a node takes beside its output. */
  memory(place: Place<StoredNode<Id, F>>): Memory;
  /** Loads the constants. @throws FormatError when a tensor is missing or of another size */
  prepare(place: Place<StoredNode<Id, F>>, tensors: ModelTensors): Work;
}

/**
 * An op for packed graphs, of this package or of yours: `loadPackedModel(bytes, { ops: [yours] })`.
 *
 * @param op its name in files
 * @param fields what a node says beside its name, inputs and output
 * @returns takes all else of it; `elementwise` and its like have most
 * @example
 * export const square = definePackedOp('square')({
 *   ...elementwise,
 *   prepare: ({ kernels }) => floatWork(([x], y) => kernels.multiply(x!.floats, x!.floats, y.floats)),
 * });
 */
export const definePackedOp =
  // in two calls: TypeScript infers the fields before it types what reads them
    <const Id extends string, const F extends Fields = Readonly<Record<never, never>>>(op: Id, fields?: F) =>
    (rest: Omit<PackedOp<Id, F>, 'op' | 'fields'>): PackedOp<Id, F> => ({ ...rest, op, fields: fields ?? ({} as F) });

/** A node with its op, whatever these are. */
export interface NodePlace extends Place<StoredNode> {
  readonly op: PackedOp;
}

/** Node of an op: `NodeOf<typeof relu>`. */
export type NodeOf<Op> = Op extends PackedOp<infer Id, infer F> ? StoredNode<Id, F> : never;

export const none = new Float32Array(0);
/** Extent of the last axis. */
export const channelsOf = ({ shape }: { readonly shape: Shape }): number => shape.at(-1) ?? 1;
/** All other values of a row. */
export const pixelsOf = (type: { readonly shape: Shape }): number => sizeOf(type.shape) / channelsOf(type);
/** Values in a row. */
export const lengthOf = ({ shape }: { readonly shape: Shape }): number => sizeOf(shape);

/** Length of the array that holds the values of `batch` images. */
export function storageLength(type: ValueType, batch: number): number {
  return batch * type.rows * (type.kind === 'signs' ? wordsFor(pixelsOf(type), channelsOf(type)) : lengthOf(type));
}

/** Same shapes; a vector is an image of one pixel. */
export function alike(a: Shape, b: Shape): boolean {
  if (sameShape(a, b)) return true;
  return [a, b].every((shape) => sizeOf(shape) === shape.at(-1)) && a.at(-1) === b.at(-1);
}

/** The shape as an image; a vector is one pixel. Null for any other rank. */
export function asImage(shape: Shape): [number, number, number] | null {
  if (shape.length === 3) return shape as unknown as [number, number, number];
  return shape.length === 1 ? [1, 1, shape[0]!] : null;
}
