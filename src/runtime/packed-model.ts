import type { Kernels } from '../backend/kernels.ts';
import { kernels as selectedKernels } from '../backend/select.ts';
import type { Bytes } from '../core/bytes.ts';
import { ShapeError, UsageError } from '../core/errors.ts';
import { listed, quoted } from '../core/printable.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import { lookUpPixels, pixelTables } from '../exact/pixel-tables.ts';
import { planBuffers } from './buffers.ts';
import type { PackedGraph, PackedNode, StoredGraph } from './graph.ts';
import { checkMemory, type MemoryNeed, memoryNeed, usualMaxBytes } from './memory.ts';
import { asImage, type Cost, none, type PackedOp, storageLength, type Value, type ValueType, type Work } from './op.ts';
import { allOps } from './ops/all.ts';
import { readPackedFile } from './packed-file.ts';
import type { Prediction } from './prediction.ts';
import type { Proof } from './proof.ts';
import { type Floats, floatsOf, type Pixels, pixelsOf, type Shaped } from './shaped.ts';
import { classification } from './tasks/classification.ts';
import type { ModelTensors, TensorCount } from './tensors.ts';
import { valueTypes } from './types.ts';

/** Called after each node with its output, which a later node may overwrite, and the time it took. */
export type NodeObserver = (node: PackedNode, output: Value, milliseconds: number) => void;

/** What runs a model, and what it may take. */
export interface LoadOptions {
  /** Of one backend; default: the fastest that runs here. */
  readonly kernels?: Kernels | undefined;
  /** What the model may allocate to run one image, in bytes; default 2^30 (1 GiB). A model that needs more is refused when it is loaded. */
  readonly maxBytes?: number | undefined;
  /** Ops that the file may have besides this package's (`definePackedOp`). */
  readonly ops?: readonly PackedOp[] | undefined;
}

/** One prepared node. */
export interface Step extends Work, TensorCount {
  readonly node: PackedNode;
  readonly output: ValueType;
  /** Rows of the first input for each image. */
  readonly rows: number;
  /** For one image. */
  readonly cost: Cost;
}

/** A step between the arrays of its values. */
interface Wired {
  readonly step: Step;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly rows: number;
}

const noWords = new Uint32Array(0);

/** A packed network, ready to run: weights are laid out for the backend, buffers are kept between calls. */
export class PackedModel {
  readonly graph: PackedGraph;
  readonly steps: readonly Step[];
  /** What packing proved; null in files that do not say. */
  readonly proof: Proof | null;
  /** What it takes to run one image. */
  readonly memory: MemoryNeed;
  private readonly types: ReadonlyMap<number, ValueType>;
  /** Of each input; none where it is no picture. */
  private readonly pixelTables: readonly (readonly Float32Array[])[];
  private readonly values = new Map<number, { -readonly [K in keyof Value]: Value[K] }>();
  private buffers: readonly ArrayBuffer[] = [];
  /** Every step between its values, for the current batch. */
  private wired: readonly Wired[] = [];
  /** Images that the buffers are for; none yet. */
  private batch = -1;

  /**
   * Loads nothing by itself: see `loadPackedModel`.
   *
   * @throws FormatError when graph and tensors do not fit together, or need more memory than is allowed
   */
  constructor(
    stored: StoredGraph,
    tensors: ModelTensors,
    { kernels = selectedKernels(), maxBytes = usualMaxBytes, ops }: LoadOptions = {},
    proof: Proof | null = null,
  ) {
    const known = allOps(ops);
    this.types = valueTypes(stored, known);
    this.graph = graphOf(stored, this.types);
    this.proof = proof;
    this.pixelTables = stored.inputs.map(({ picture }) => (picture ? pixelTables(picture.mean, picture.std) : []));
    const places = stored.nodes.map((node) => {
      const [inputs, output] = [node.inputs.map((id) => this.types.get(id)!), this.types.get(node.output)!];
      return { node, op: known.get(node.op)!, inputs, output, kernels };
    });
    this.memory = memoryNeed(this.graph, places, tensors.bytes);
    checkMemory(this.memory, maxBytes);
    this.steps = places.map((place, i): Step => {
      const { op, inputs, output } = place;
      const { result: work, ...count } = tensors.counted(() => op.prepare(place, tensors));
      const { macs, ...cost } = op.cost(place);
      const node = this.graph.nodes[i]!;
      return { node, output, rows: inputs[0]!.rows, cost: { ...cost, macs: macs * output.rows }, ...count, ...work };
    });
  }

  private allocate(batch: number): void {
    this.batch = batch;
    const lengthOf = (id: number) => storageLength(this.types.get(id)!, batch);
    const { nodes } = this.graph;
    const { bufferOf, bytes } = planBuffers(this.graph, (place) => 4 * lengthOf(nodes[place]!.output));
    this.buffers = bytes.map((size) => new ArrayBuffer(size));
    for (const [id, { shape }] of this.graph.inputs.entries())
      this.values.set(id, { shape, floats: none, words: noWords });
    for (const [id, index] of bufferOf) {
      const { shape, kind } = this.types.get(id)!;
      const place = [this.buffers[index]!, 0, lengthOf(id)] as const;
      const floats = kind === 'signs' ? none : new Float32Array(...place);
      const words = kind === 'signs' ? new Uint32Array(...place) : noWords;
      this.values.set(id, { shape, floats, words });
    }
    this.wired = this.steps.map((step) => ({
      step,
      inputs: step.node.inputs.map((id) => this.values.get(id)!),
      output: this.values.get(step.node.output)!,
      rows: batch * step.rows,
    }));
  }

  /** Images in an array for the input of that number. */
  private imagesIn(id: number, floats: Float32Array): number {
    const { shape } = this.graph.inputs[id]!;
    const size = storageLength(this.types.get(id)!, 1);
    if (floats.length % size === 0) return floats.length / size;
    throw new ShapeError(
      `run: ${floats.length} values are not a whole number of ${formatShape(shape)} images (${size} values each)`,
    );
  }

  private compute(given: readonly (Floats | Shaped<Floats>)[], observe: NodeObserver | undefined): void {
    const arrays = given.map((input, id) => floatsOf(input, this.graph.inputs[id]!.shape));
    const counts = arrays.map((floats, id) => this.imagesIn(id, floats));
    const [batch] = counts as [number];
    if (counts.some((count) => count !== batch))
      throw new ShapeError(`run: inputs of ${counts.join(' and ')} images; give as many to each`);
    if (batch !== this.batch) this.allocate(batch);
    for (const [id, floats] of arrays.entries()) this.values.get(id)!.floats = floats;
    if (batch === 0) return;
    for (const { step, inputs, output, rows } of this.wired) {
      const begin = observe ? performance.now() : 0;
      step.run(inputs, output, rows);
      observe?.(step.node, output, performance.now() - begin);
    }
  }

  /**
   * The first output for a batch: logits [N,classes] of a classification.
   *
   * @param images normalised floats [N,H,W,C]; given with their shape, it is checked
   * @returns overwritten by the next call
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image; UsageError for a network of several inputs
   */
  run(images: Floats | Shaped<Floats>, observe?: NodeObserver): Float32Array {
    const { inputs, output } = this.graph;
    if (inputs.length > 1)
      throw new UsageError(
        `run: this network takes ${listed(inputs.map(({ name }) => name))}; give them to runAll by name`,
      );
    this.compute([images], observe);
    return this.values.get(output)!.floats;
  }

  /**
   * All outputs by name, for a batch of all inputs by name.
   *
   * @param inputs floats of each, rows of images one after the other
   * @returns arrays that the next call overwrites
   * @throws UsageError when an input is missing; ShapeError when one is of another size
   */
  runAll(
    inputs: Readonly<Record<string, Floats | Shaped<Floats>>>,
    observe?: NodeObserver,
  ): Record<string, Float32Array> {
    const given = this.graph.inputs.map(({ name }) => {
      const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (input) return input;
      throw new UsageError(`runAll: no input ${quoted(name)}; got ${listed(Object.keys(inputs)) || 'none'}`);
    });
    this.compute(given, observe);
    return Object.fromEntries(this.graph.outputs.map(({ name, value }) => [name, this.values.get(value)!.floats]));
  }

  /** (pixel/255 - mean)/std, as in training. @param pixels 0..255, [N,H,W,C] @param input number of the picture's */
  normalise(pixels: Uint8Array, input = 0): Float32Array {
    return lookUpPixels(pixels, this.pixelTables[input]!);
  }

  /**
   * The most probable classes of every image, best first.
   *
   * @param pixels 0..255, [N,H,W,C]; given with their shape, it is checked
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image; UsageError when it is no classification
   */
  predict(pixels: Pixels | Shaped<Pixels>, top = 5): Prediction[][] {
    const { task, classes, input } = this.graph;
    if (task.id !== classification.id)
      throw new UsageError(
        `predict: this network is for ${quoted(task.id)}, not classification; runAll gives its outputs`,
      );
    const logits = this.run(this.normalise(pixelsOf(pixels, input)));
    const rowOf = (i: number) => logits.subarray(i * classes.length, (i + 1) * classes.length);
    return Array.from({ length: logits.length / classes.length }, (_, i) =>
      classification.decode({ logits: rowOf(i) }, this.graph, { top }),
    );
  }

  /** Bytes of all activation buffers for the current batch size. */
  get activationBytes(): number {
    return this.buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

/** Names in the settings of another task, whose own they are. */
const classesOf = (given: unknown): readonly string[] =>
  Array.isArray(given) && given.every((name) => typeof name === 'string') ? given : [];

/** With shapes, and what networks of one picture and one output have only once. */
function graphOf(stored: StoredGraph, types: ReadonlyMap<number, ValueType>): PackedGraph {
  const [first, output] = [stored.inputs[0]!, stored.outputs[0]!.value];
  const { task } = stored;
  return {
    ...stored,
    // ops of others are in no union of this package
    nodes: stored.nodes.map((node) => ({ ...node, shape: types.get(node.output)!.shape }) as PackedNode),
    input: asImage(first.shape) ?? [1, 1, sizeOf(first.shape)],
    mean: first.picture?.mean ?? [],
    std: first.picture?.std ?? [],
    classes:
      task.id === classification.id
        ? classification.read(task.settings, types.get(output)!)
        : classesOf(task.settings['classes']),
    output,
  };
}

/**
 * Loads a packed model from the bytes of its file.
 *
 * @param options kernels alone choose those that run it
 * @throws FormatError for damaged or foreign files, and for models that need more than `maxBytes`
 */
export function loadPackedModel(file: Bytes, options: LoadOptions | Kernels = {}): PackedModel {
  const load = 'preparedFilterWords' in options ? { kernels: options } : options;
  const { graph, tensors, proof } = readPackedFile(file, load.ops);
  return new PackedModel(graph, tensors, load, proof);
}
