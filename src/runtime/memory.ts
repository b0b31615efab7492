import { FormatError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { sizeOf } from '../core/shape.ts';
import { planBuffers } from './buffers.ts';
import type { PackedGraph, PackedNode } from './graph.ts';
import { type NodePlace, storageLength, type ValueType } from './op.ts';

/** What a model may take to run one image, in bytes, when nobody says: far more than any published binary network. */
export const usualMaxBytes = 2 ** 30;

const bytesOf = (type: ValueType) => 4 * storageLength(type, 1);

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
export function memoryNeed(graph: PackedGraph, places: readonly NodePlace[], tensorBytes: number): MemoryNeed {
  let [weights, kept, scratch, most] = [tensorBytes, 0, 0, -1];
  for (const { shape, rows = 1 } of graph.inputs) kept += 4 * rows * sizeOf(shape);
  let largest = graph.nodes[0]!;
  for (const [i, place] of places.entries()) {
    const { rows } = place.inputs[0]!;
    const need = { constants: 0, kept: 0, scratch: 0, ...place.op.memory(place) };
    // WebAssembly works on copies of what goes in and out
    const copies = place.inputs.reduce((sum, type) => sum + bytesOf(type), need.constants + bytesOf(place.output));
    const part = need.constants + need.kept + rows * need.scratch + copies;
    if (part > most) [largest, most] = [graph.nodes[i]!, part];
    weights += need.constants;
    kept += need.kept;
    scratch = Math.max(scratch, rows * need.scratch + copies);
  }
  const buffers = planBuffers(graph, (i) => bytesOf(places[i]!.output)).bytes;
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
