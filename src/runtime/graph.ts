import { parseBoundedJson } from '../core/bounded-json.ts';
import { FormatError } from '../core/errors.ts';
import {
  finite,
  list,
  oneOf,
  optional,
  positive,
  type Read,
  type Reader,
  record,
  text,
  whole,
} from '../core/fields.ts';
import { printable, quoted } from '../core/printable.ts';
import type { Shape } from '../core/shape.ts';
import { index, type NodeOf, nodeFields, type PackedOp, type StoredNode, shape } from './op.ts';
import type { packedOps } from './ops/table.ts';
import { upgraded } from './version-2.ts';

/**
 * The packed graph as stored in a model file (packed-file.ts). Values are numbered: the inputs come first, from 0; nodes say which they
 * read and which they compute. Tensors are named entries of the same safetensors file.
 */
const name = text(1000);
const rule = record({
  /** `cover`: scaled to fill and cropped in the middle; `fill`: stretched; `contain`: scaled to fit, on the background. */
  fit: oneOf('cover', 'fill', 'contain'),
  /** How pixels between pixels are found. */
  filter: oneOf('lanczos3', 'bicubic', 'bilinear', 'nearest'),
  /** What shows through transparent pixels, 0..255 for red, green and blue. */
  background: list(whole(0, 255), 3, 3),
});
const input = record({
  name,
  /** Of one row, [H,W,C] for a picture. */
  shape,
  /** Rows for each image; absent: 1. */
  rows: optional(whole(1, 1 << 20)),
  /** Absent: it takes numbers as they are. */
  picture: optional(
    record({
      /** Per channel: pixels are (pixel/255 - mean)/std. */
      mean: list(finite, 1, 1 << 16),
      std: list(positive, 1, 1 << 16),
      /** How pictures of other sizes are brought to this one, after they are turned upright. */
      resize: rule,
    }),
  ),
});
/** What an author of a task or head chose; its own reader looks at it. */
const settings: Reader<Readonly<Record<string, unknown>>> = (value, path) => {
  record({})(value, path);
  return value as Record<string, unknown>;
};
const purpose = record({ id: text(200), settings });

/** Parts that callers ask for by name. */
const named = <T extends { readonly name: string }>(part: Reader<T>): Reader<T[]> => {
  const all = list(part, 1, 64);
  return (value, path) => {
    const parts = all(value, path);
    const again = parts.find(({ name }, i) => parts.findIndex((other) => other.name === name) !== i);
    if (again) throw new FormatError(`${path}: the name ${quoted(again.name)} comes twice`);
    return parts;
  };
};

const header = {
  model: name,
  method: name,
  /** Multiple of the published channel counts. */
  width: positive,
  inputs: named(input),
  outputs: named(record({ name, value: index })),
  /** What the network is for, and what of it turns features into outputs. */
  task: purpose,
  head: purpose,
  /** Bytes of the float32 weights this file replaces. */
  floatBytes: whole(0, Number.MAX_SAFE_INTEGER),
};

/** An op of this package's. */
type KnownNode = NodeOf<(typeof packedOps)[number]>;
export type OpName = KnownNode['op'];
/** A node of a graph, with the shape of a row of its output; its fields hang on `op`. */
export type PackedNode = KnownNode & { readonly shape: Shape };
/** How pictures become an input. */
export type Picture = NonNullable<Read<typeof input>['picture']>;
/** How pictures of another size are brought to that of an input. */
export type ResizeRule = Picture['resize'];

/** A packed network as its file tells it. */
export type StoredGraph = Read<ReturnType<typeof graphReader>>;

/** A packed network without its tensors: what goes in, the ops in their order, what comes out. */
export interface PackedGraph extends Omit<StoredGraph, 'nodes'> {
  readonly nodes: readonly PackedNode[];
  /** Of the first input, as most networks have one: [H,W,C]; a vector is one pixel. */
  readonly input: readonly [number, number, number];
  /** Of its pixels; no values where it is no picture. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** That its task tells apart; none where it has none. */
  readonly classes: readonly string[];
  /** The value of the first output. */
  readonly output: number;
}

/** As Signum's data sets decode pictures. */
export const usualResize: ResizeRule = { fit: 'cover', filter: 'lanczos3', background: [0, 0, 0] };

/** More than any graph that the fields above allow. */
const most = { depth: 8, values: 1 << 20 };

function nodeReader(ops: ReadonlyMap<string, PackedOp>): Reader<StoredNode> {
  // of the ops that come: a small file does not wait for forty
  const readers = new Map<string, Reader<object>>();
  const common = record({ op: text(200), name });
  return (value, path) => {
    const { op, name } = common(value, path);
    const fields = ops.get(op)?.fields;
    if (!fields)
      throw new FormatError(
        `node ${quoted(name)} is of the op ${quoted(op)}, which this build does not know; pass it to loadPackedModel as { ops: [${printable(op)}] } (a command: --plugin <its file>), or install a newer version`,
      );
    const reader = readers.get(op) ?? record({ ...nodeFields, ...fields });
    readers.set(op, reader);
    return { op, ...reader(value, path) } as StoredNode;
  };
}

const graphReader = (ops: ReadonlyMap<string, PackedOp>) =>
  record({ ...header, nodes: list(nodeReader(ops), 1, 10_000) });

/**
 * Reads the graph of a file.
 *
 * @param version of the file: 2 or 3
 * @throws FormatError naming the first field that is wrong, or the op that is not known
 */
export function parseGraph(json: string, version: string, ops: ReadonlyMap<string, PackedOp>): StoredGraph {
  try {
    const value = parseBoundedJson(json, most);
    const graph = graphReader(ops)(version === '2' ? upgraded(value) : value, '');
    for (const [i, { shape, picture }] of graph.inputs.entries()) {
      if (!picture) continue;
      const channels = shape.at(-1)!;
      for (const key of ['mean', 'std'] as const)
        list(finite, channels, channels)(picture[key], `inputs.${i}.picture.${key}`);
    }
    return graph;
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`the model's graph cannot be read: ${error.message}`);
    throw error;
  }
}
