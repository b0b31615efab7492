import type { Kernels } from '../backend/kernels.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
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

/** What runs a node: its constants are loaded. */
export interface Work {
  /** Which kernel does the work, for reports. */
  readonly kernel: string;
  /** Fills the output for a batch. */
  readonly run: (inputs: readonly Value[], output: Value, batch: number) => void;
}

/** One prepared node. */
export interface Step extends Work {
  readonly node: PackedNode;
  readonly output: ValueType;
}

export type NodeOf<O extends OpName> = Extract<PackedNode, { op: O }>;
/** From a node that keeps its rule (rules.ts) to its work: loads constants. @throws FormatError when a tensor is missing or of another size */
export type Prepare<O extends OpName> = (
  node: NodeOf<O>,
  inputs: readonly ValueType[],
  tensors: ModelTensors,
  kernels: Kernels,
) => Work;

export const none = new Float32Array(0);
export const channelsOf = (type: { shape: Shape }) => type.shape.at(-1) ?? 1;
export const rowsOf = (type: { shape: Shape }) => sizeOf(type.shape) / channelsOf(type);
