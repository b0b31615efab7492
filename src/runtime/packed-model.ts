import type { Kernels } from '../backend/kernels.ts';
import { kernels as selectedKernels } from '../backend/select.ts';
import { FormatError, ShapeError } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { planBuffers } from './buffers.ts';
import type { PackedGraph, PackedNode } from './graph.ts';
import { readPackedFile } from './packed-file.ts';
import { bestClasses, type Prediction } from './prediction.ts';
import { type Shaped, valuesOf } from './shaped.ts';
import type { Step, Value, ValueType } from './step.ts';
import { prepareOp, storageLength } from './steps.ts';
import type { ModelTensors } from './tensors.ts';

/** Called after each node with its output, which a later node may overwrite, and the time it took. */
export type NodeObserver = (node: PackedNode, output: Value, milliseconds: number) => void;

/** Values of one activation per image: a file must not make us allocate without bound. */
const mostElements = 2 ** 27;

const noFloats = new Float32Array(0);
const noWords = new Uint32Array(0);

/** A packed network, ready to run: weights are laid out for the backend, buffers are kept between calls. */
export class PackedModel {
  readonly graph: PackedGraph;
  readonly steps: readonly Step[];
  private readonly types = new Map<number, ValueType>();
  private readonly values = new Map<number, Value>();
  private buffers: readonly ArrayBuffer[] = [];
  private batch = 0;

  /** @throws FormatError when graph and tensors do not fit together */
  constructor(graph: PackedGraph, tensors: ModelTensors, kernels: Kernels = selectedKernels()) {
    this.graph = graph;
    this.types.set(0, { shape: graph.input, packed: false });
    this.steps = graph.nodes.map((node) => this.prepare(node, tensors, kernels));
    const output = this.types.get(graph.output);
    if (!output || output.packed || sizeOf(output.shape) !== graph.classes.length) {
      throw new FormatError(
        `the model's output value ${graph.output} is not one float per class (${graph.classes.length})`,
      );
    }
  }

  private prepare(node: PackedNode, tensors: ModelTensors, kernels: Kernels): Step {
    const inputs = node.inputs.map((id) => {
      const type = this.types.get(id);
      if (!type) throw new FormatError(`node "${node.name}" reads value ${id} before it is computed`);
      return type;
    });
    if (this.types.has(node.output)) throw new FormatError(`node "${node.name}" writes value ${node.output} twice`);
    const wantsPacked = ['xnorConv2d', 'xnorConv2dThreshold', 'planesConv2d', 'maxPoolSigns'].includes(node.op);
    if (inputs.some((type) => type.packed !== wantsPacked)) {
      throw new FormatError(
        `node "${node.name}" (${node.op}) needs ${wantsPacked ? 'packed signs' : 'floats'} as input`,
      );
    }
    if (sizeOf(node.shape) > mostElements) {
      throw new FormatError(
        `node "${node.name}" claims ${sizeOf(node.shape)} values per image, more than any model here (${mostElements})`,
      );
    }
    checkSizes(node, inputs);
    // the table is indexed by the node's own op, which TypeScript cannot follow through a union
    const prepare = prepareOp[node.op] as (
      n: PackedNode,
      i: readonly ValueType[],
      t: ModelTensors,
      k: Kernels,
    ) => Omit<Step, 'node'>;
    const step = { node, ...prepare(node, inputs, tensors, kernels) };
    if (step.output.shape.join() !== node.shape.join()) {
      throw new FormatError(
        `node "${node.name}" yields [${step.output.shape.join(',')}], the file says [${node.shape.join(',')}]`,
      );
    }
    this.types.set(node.output, step.output);
    return step;
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
  run(images: Float32Array | Shaped<Float32Array>, observe?: NodeObserver): Float32Array {
    const floats = valuesOf(images, this.graph.input);
    const size = sizeOf(this.graph.input);
    const batch = floats.length / size;
    if (!Number.isInteger(batch) || batch < 1) {
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
    const { mean, std } = this.graph;
    const channels = this.graph.input[2];
    return Float32Array.from(pixels, (pixel, i) => (pixel / 255 - mean[i % channels]!) / std[i % channels]!);
  }

  /**
   * The most probable classes of every image, best first.
   *
   * @param pixels 0..255, [N,H,W,C]; given with their shape, it is checked
   * @throws ShapeError when the shape is another, or the length is not a multiple of one image
   */
  predict(pixels: Uint8Array | Shaped<Uint8Array>, top = 5): Prediction[][] {
    return bestClasses(this.run(this.normalise(valuesOf(pixels, this.graph.input))), this.graph.classes, top);
  }

  /** Bytes of all activation buffers for the current batch size. */
  get activationBytes(): number {
    return this.buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

const size = (shape: Shape | undefined) => sizeOf(shape ?? []);
const sameSize = (node: PackedNode, inputs: readonly Shape[]) =>
  inputs.every((shape) => size(shape) === size(node.shape));

/** Ops whose output size the graph states and their preparation does not derive: does the claim follow from the inputs? */
const sizesFit: Partial<Record<PackedNode['op'], (node: PackedNode, inputs: readonly Shape[]) => boolean>> = {
  ...Object.fromEntries(
    (
      [
        'sign',
        'codePlane',
        'codeLevels',
        'affineSign',
        'affine',
        'prelu',
        'relu',
        'hardtanh',
        'sigmoid',
        'tanh',
        'softsign',
        'unitLevels',
        'add',
        'multiply',
        'scale',
        'sampleNormalise',
        'positionScale',
        'positionShift',
        'reshape',
      ] as const
    ).map((op) => [op, sameSize]),
  ),
  pixelScale: (node, [x, factor]) =>
    size(x) === size(node.shape) && size(factor) * (node.shape.at(-1) ?? 1) === size(node.shape),
  sampleScale: (node, [x, factor]) => size(x) === size(node.shape) && size(factor) === 1,
  sampleAbsMean: (node) => size(node.shape) === 1,
  addOuter: (node, [x, pixels]) =>
    size(x) === size(node.shape) && size(pixels) * (node.shape.at(-1) ?? 1) === size(node.shape),
  signResidual: (node, [x, beta]) => size(x) === size(node.shape) && size(beta) === 1,
  channelGate: (node, [x, gate]) => size(x) === size(node.shape) && size(gate) === node.shape.at(-1),
  planesConv2d: (_node, inputs) => inputs.every((shape) => shape.join() === inputs[0]!.join()),
  channelAbsMean: (node, [x]) => size(x) === size(node.shape) * (x?.at(-1) ?? 0),
  globalAvgPool: (node, [x]) => node.shape.length === 1 && x?.at(-1) === node.shape[0],
  interact: (node, [x]) =>
    node.op === 'interact' &&
    size(x) === size(node.shape) &&
    node.edges.every(({ from, to }) => Math.max(from, to) < (node.shape.at(-1) ?? 0)),
  concat: (node, inputs) => inputs.reduce((sum, shape) => sum + size(shape), 0) === size(node.shape),
  sliceChannels: (node, [x]) =>
    node.op === 'sliceChannels' &&
    node.end - node.begin === node.shape.at(-1) &&
    node.end <= (x?.at(-1) ?? 0) &&
    (size(x) / x!.at(-1)!) * node.shape.at(-1)! === size(node.shape),
  subsamplePad: (node, [x]) =>
    node.op === 'subsamplePad' &&
    node.shape.length === 3 &&
    x?.length === 3 &&
    x[2]! <= node.shape[2]! &&
    Math.ceil(x[0]! / node.stride) === node.shape[0] &&
    Math.ceil(x[1]! / node.stride) === node.shape[1],
};

const twoInputs: ReadonlySet<PackedNode['op']> = new Set([
  'add',
  'multiply',
  'pixelScale',
  'sampleScale',
  'signResidual',
  'channelGate',
  'addOuter',
]);

/** Kernels trust sizes, so a hostile file must not get past this point. */
function checkSizes(node: PackedNode, inputs: readonly ValueType[]): void {
  const shapes = inputs.map((type) => type.shape);
  const complete = !twoInputs.has(node.op) || inputs.length === 2;
  if (complete && (sizesFit[node.op]?.(node, shapes) ?? true)) return;
  const given = shapes.map((shape) => `[${shape.join(',')}]`).join(' and ');
  throw new FormatError(`node "${node.name}" (${node.op}): inputs ${given} do not give [${node.shape.join(',')}]`);
}

/**
 * Loads a packed model from the bytes of its file.
 *
 * @throws FormatError for damaged or foreign files
 */
export function loadPackedModel(bytes: Uint8Array, kernels?: Kernels): PackedModel {
  const { graph, tensors } = readPackedFile(bytes);
  return new PackedModel(graph, tensors, kernels);
}
