import type { Kernels } from '../backend/kernels.ts';
import { kernels as selectedKernels } from '../backend/select.ts';
import type { Bytes } from '../core/bytes.ts';
import { FormatError, ShapeError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import { lookUpPixels, pixelTables } from '../exact/pixel-tables.ts';
import { planBuffers } from './buffers.ts';
import type { OpName, PackedGraph, PackedNode } from './graph.ts';
import { checkMemory, type MemoryNeed, memoryNeed, storageLength, usualMaxBytes } from './memory.ts';
import { readPackedFile } from './packed-file.ts';
import { bestClasses, type Prediction } from './prediction.ts';
import type { Proof } from './proof.ts';
import { type OpRule, rules } from './rules.ts';
import { type Floats, floatsOf, type Pixels, pixelsOf, type Shaped } from './shaped.ts';
import type { NodeOf, Prepare, Step, Value, ValueType } from './step.ts';
import { prepareOp } from './steps.ts';
import type { ModelTensors } from './tensors.ts';

/** Called after each node with its output, which a later node may overwrite, and the time it took. */
export type NodeObserver = (node: PackedNode, output: Value, milliseconds: number) => void;

/** Values of one activation per image: a file must not make us allocate without bound. */
const mostElements = 2 ** 27;

/** What runs a model, and what it may take. */
export interface LoadOptions {
  /** Of one backend; default: the fastest that runs here. */
  readonly kernels?: Kernels | undefined;
  /** What the model may allocate to run one image, in bytes; default 2^30 (1 GiB). A model that needs more is refused when it is loaded. */
  readonly maxBytes?: number | undefined;
}

const noFloats = new Float32Array(0);
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
  private readonly pixelTables: readonly Float32Array[];
  private readonly values = new Map<number, Value>();
  private buffers: readonly ArrayBuffer[] = [];
  private batch = 0;

  /** @throws FormatError when graph and tensors do not fit together, or need more memory than is allowed */
  constructor(
    graph: PackedGraph,
    tensors: ModelTensors,
    { kernels = selectedKernels(), maxBytes = usualMaxBytes }: LoadOptions = {},
    proof: Proof | null = null,
  ) {
    this.graph = graph;
    this.proof = proof;
    this.pixelTables = pixelTables(graph.mean, graph.std);
    this.types = valueTypes(graph);
    this.memory = memoryNeed(graph, this.types, tensors.bytes, kernels);
    checkMemory(this.memory, maxBytes);
    this.steps = graph.nodes.map((node) => {
      const inputs = node.inputs.map((id) => this.types.get(id)!);
      // the table is indexed by the node's own op, which TypeScript cannot follow through a union
      const prepare = prepareOp[node.op] as Prepare<OpName>;
      return { node, output: this.types.get(node.output)!, ...prepare(node as never, inputs, tensors, kernels) };
    });
  }

  private allocate(batch: number): void {
    this.batch = batch;
    const { nodes, output } = this.graph;
    const lengthOf = (id: number) => storageLength(this.types.get(id)!, batch);
    const { bufferOf, bytes } = planBuffers(nodes, output, (node) => 4 * lengthOf(node.output));
    this.buffers = bytes.map((size) => new ArrayBuffer(size));
    for (const [id, index] of bufferOf) {
      const { shape, packed } = this.types.get(id)!;
      const place = [this.buffers[index]!, 0, lengthOf(id)] as const;
      const floats = packed ? noFloats : new Float32Array(...place);
      const words = packed ? new Uint32Array(...place) : noWords;
      this.values.set(id, { shape, floats, words });
    }
  }

  /**
   * Logits of a batch.
   *
   * @param images normalised floats [N,H,W,C]; given with their shape, it is checked
   * @returns [N,classes]; overwritten by the next call
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image
   */
  run(images: Floats | Shaped<Floats>, observe?: NodeObserver): Float32Array {
    const floats = floatsOf(images, this.graph.input);
    const size = sizeOf(this.graph.input);
    const batch = floats.length / size;
    if (batch === 0) return noFloats;
    if (!Number.isInteger(batch)) {
      throw new ShapeError(
        `run: ${floats.length} values are not a whole number of [${this.graph.input.join(',')}] images (${size} values each)`,
      );
    }
    if (batch !== this.batch) this.allocate(batch);
    this.values.set(0, { shape: this.graph.input, floats, words: noWords });
    for (const step of this.steps) {
      const output = this.values.get(step.node.output)!;
      const begin = observe ? performance.now() : 0;
      step.run(
        step.node.inputs.map((id) => this.values.get(id)!),
        output,
        batch,
      );
      observe?.(step.node, output, performance.now() - begin);
    }
    return this.values.get(this.graph.output)!.floats;
  }

  /** (pixel/255 - mean)/std, as in training. @param pixels 0..255, [N,H,W,C] */
  normalise(pixels: Uint8Array): Float32Array {
    return lookUpPixels(pixels, this.pixelTables);
  }

  /**
   * The most probable classes of every image, best first.
   *
   * @param pixels 0..255, [N,H,W,C]; given with their shape, it is checked
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image
   */
  predict(pixels: Pixels | Shaped<Pixels>, top = 5): Prediction[][] {
    return bestClasses(this.run(this.normalise(pixelsOf(pixels, this.graph.input))), this.graph.classes, top);
  }

  /** Bytes of all activation buffers for the current batch size. */
  get activationBytes(): number {
    return this.buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

/** A value's type by the rule of its op, checked: kernels trust sizes, so a hostile file must not get past this point. */
function typeOf<O extends OpName>(node: NodeOf<O>, inputs: readonly ValueType[]): ValueType {
  const { inputs: counts, takes, gives, fits }: OpRule<O> = rules[node.op as O];
  const fail = (what: string) => new FormatError(`node ${quoted(node.name)} (${node.op}) ${what}`);
  const [least, most] = counts;
  if (inputs.length < least || inputs.length > most)
    throw fail(`has ${inputs.length} inputs, needs ${least === most ? least : `${least} to ${most}`}`);
  if (inputs.some(({ packed }) => packed !== (takes === 'signs')))
    throw fail(`needs ${takes === 'signs' ? 'packed signs' : 'floats'} as input`);
  const claimed = sizeOf(node.shape);
  if (claimed > mostElements)
    throw fail(`claims ${claimed} values per image, more than any model here (${mostElements})`);
  const shapes = inputs.map(({ shape }) => shape);
  if (!fits(node, shapes))
    throw fail(`cannot give ${formatShape(node.shape)} from ${shapes.map(formatShape).join(' and ')}`);
  return { shape: node.shape, packed: gives === 'signs' };
}

/** Types of all values; 0 is the image. */
function valueTypes(graph: PackedGraph): Map<number, ValueType> {
  const types = new Map<number, ValueType>([[0, { shape: graph.input, packed: false }]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => {
      const type = types.get(id);
      if (!type) throw new FormatError(`node ${quoted(node.name)} reads value ${id} before it is computed`);
      return type;
    });
    if (types.has(node.output)) throw new FormatError(`node ${quoted(node.name)} writes value ${node.output} twice`);
    try {
      types.set(node.output, typeOf(node, inputs));
    } catch (error) {
      // what does not fit is the file's fault here
      throw error instanceof ShapeError ? new FormatError(error.message) : error;
    }
  }
  const output = types.get(graph.output);
  if (!output || output.packed || sizeOf(output.shape) !== graph.classes.length)
    throw new FormatError(
      `the model's output value ${graph.output} is not one float per class (${graph.classes.length})`,
    );
  return types;
}

/**
 * Loads a packed model from the bytes of its file.
 *
 * @param options kernels alone choose those that run it
 * @throws FormatError for damaged or foreign files, and for models that need more than `maxBytes`
 */
export function loadPackedModel(file: Bytes, options?: LoadOptions | Kernels): PackedModel {
  const { graph, tensors, proof } = readPackedFile(file);
  const kernelsAlone = options && 'preparedFilterWords' in options;
  return new PackedModel(graph, tensors, kernelsAlone ? { kernels: options } : options, proof);
}
