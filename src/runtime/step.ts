import type { Kernels } from '../backend/kernels.ts';
import { FormatError } from '../core/errors.ts';
import { formatShape, type Shape, sizeOf } from '../core/shape.ts';
import type { OpName, PackedNode } from './graph.ts';
import type { ModelTensors } from './tensors.ts';

/** A value while the graph runs: floats or packed signs of `shape` (without the batch) for the current batch. */
export interface Value {
  readonly shape: Shape;
  readonly floats: Float32Array;
  readonly words: Uint32Array;
}

export interface ValueType {
  readonly shape: Shape;
  readonly packed: boolean;
}

/** One prepared node: its constants are loaded, and `run` fills the output for a batch. */
export interface Step {
  readonly node: PackedNode;
  readonly output: ValueType;
  /** Which kernel does the work, for reports. */
  readonly kernel: string;
  readonly run: (inputs: readonly Value[], output: Value, batch: number) => void;
}

export type NodeOf<O extends OpName> = Extract<PackedNode, { op: O }>;
/** From a node to its step: loads constants, checks shapes. */
export type Prepare<O extends OpName> = (
  node: NodeOf<O>,
  inputs: readonly ValueType[],
  tensors: ModelTensors,
  kernels: Kernels,
) => Omit<Step, 'node'>;

export const none = new Float32Array(0);
export const channelsOf = (type: { shape: Shape }) => type.shape.at(-1) ?? 1;
export const rowsOf = (type: { shape: Shape }) => sizeOf(type.shape) / channelsOf(type);

/** The shape as an image; a vector is one pixel. @throws FormatError for any other rank */
export function image(node: PackedNode, type: ValueType): [number, number, number] {
  if (type.shape.length === 3) return type.shape as [number, number, number];
  if (type.shape.length === 1) return [1, 1, type.shape[0]!];
  throw new FormatError(`node "${node.name}" (${node.op}) needs an image [H,W,C], got ${formatShape(type.shape)}`);
}

export const outputOf = (node: PackedNode, packed = false): ValueType => ({ shape: node.shape, packed });
