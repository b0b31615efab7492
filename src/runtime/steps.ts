import type { Kernels } from '../backend/kernels.ts';
import { filterSignSums, packUnitPlane, planeConvolution } from '../backend/plane-conv.ts';
import { wordsPerRow } from '../core/bits.ts';
import { type ConvGeometry, convGeometry, poolGeometry } from '../core/conv-geometry.ts';
import { FormatError } from '../core/errors.ts';
import { formatShape, type Shape, sizeOf } from '../core/shape.ts';
import { boundOf, type OpName, type PackedNode } from './graph.ts';
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

type NodeOf<O extends OpName> = Extract<PackedNode, { op: O }>;
type Prepare<O extends OpName> = (
  node: NodeOf<O>,
  inputs: readonly ValueType[],
  tensors: ModelTensors,
  kernels: Kernels,
) => Omit<Step, 'node'>;

const none = new Float32Array(0);
const channelsOf = (type: { shape: Shape }) => type.shape.at(-1) ?? 1;
const rowsOf = (type: { shape: Shape }) => sizeOf(type.shape) / channelsOf(type);

function image(node: PackedNode, type: ValueType): [number, number, number] {
  if (type.shape.length === 3) return type.shape as [number, number, number];
  if (type.shape.length === 1) return [1, 1, type.shape[0]!];
  throw new FormatError(`node "${node.name}" (${node.op}) needs an image [H,W,C], got ${formatShape(type.shape)}`);
}

type ConvNode = NodeOf<'conv2d' | 'signConv2d' | 'xnorConv2d' | 'xnorConv2dThreshold' | 'planesConv2d'>;

/** Geometry for any batch size. */
function convOf(node: ConvNode, input: ValueType): (batch: number) => ConvGeometry {
  const [height, width, channels] = image(node, input);
  const filter = [node.kernel[0], node.kernel[1], channels / node.groups, channelsOf(node)];
  const geometry = convGeometry(`node "${node.name}"`, [1, height, width, channels], filter, node);
  if (geometry.outHeight * geometry.outWidth !== rowsOf(node)) {
    throw new FormatError(
      `node "${node.name}" yields ${geometry.outHeight}x${geometry.outWidth} pixels, its shape says ${formatShape(node.shape)}`,
    );
  }
  return (batch) => ({ ...geometry, batch });
}

/** The packed filter of a node, and the same in the backend's layout. */
function xnorFilter(
  node: ConvNode,
  g: ConvGeometry,
  tensors: ModelTensors,
  kernels: Kernels,
): { words: Uint32Array; filter: Uint32Array } {
  const words = tensors.filterWords(
    node.filter,
    g.outChannels,
    g.kernelHeight * g.kernelWidth,
    g.inChannels / g.groups,
  );
  const filter = new Uint32Array(kernels.preparedFilterWords(g));
  kernels.prepareXnorFilter(words, filter, g);
  return { words, filter };
}

const outputOf = (node: PackedNode, packed = false): ValueType => ({ shape: node.shape, packed });

function unaryStep(
  node: NodeOf<'relu' | 'hardtanh' | 'sigmoid' | 'tanh' | 'softsign'>,
  kernels: Kernels,
): Omit<Step, 'node'> {
  return { output: outputOf(node), kernel: 'float', run: ([x], y) => kernels.unary(node.op, x!.floats, y.floats) };
}

function poolStep(node: NodeOf<'maxPool' | 'avgPool'>, input: ValueType, kernels: Kernels): Omit<Step, 'node'> {
  const shape = image(node, input);
  const geometry = poolGeometry(`node "${node.name}"`, [1, ...shape], node.window, node.stride, node.pad);
  let indices = new Int32Array(0);
  const run: Step['run'] = ([x], y, batch) => {
    const g = { ...geometry, batch };
    if (node.op === 'avgPool') return kernels.avgPool(x!.floats, y.floats, g);
    if (indices.length < y.floats.length) indices = new Int32Array(y.floats.length);
    kernels.maxPool(x!.floats, y.floats, indices, g);
  };
  return {
    output: { shape: [geometry.outHeight, geometry.outWidth, geometry.channels], packed: false },
    kernel: 'float',
    run,
  };
}

function elementwise(node: PackedNode, run: Step['run']): Omit<Step, 'node'> {
  return { output: outputOf(node), kernel: 'float', run };
}

/** How each op is prepared from its node; a new op is one entry here and one in graph.ts. */
export const prepareOp: { readonly [O in OpName]: Prepare<O> } = {
  conv2d: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const filter = tensors.floats(
      node.filter,
      g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups) * g.outChannels,
    );
    return {
      output: outputOf(node),
      kernel: 'float conv',
      run: ([x], y, batch) => kernels.conv2d(x!.floats, filter, y.floats, geometry(batch)),
    };
  },
  signConv2d: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const [taps, inChannels] = [g.kernelHeight * g.kernelWidth, g.inChannels / g.groups];
    const words = tensors.filterWords(node.filter, g.outChannels, taps, inChannels);
    const alpha = tensors.floats(node.alpha, g.outChannels);
    // 1 bit on disk; unpacked once, because float activations need a float product
    const signs = new Float32Array(g.outChannels * taps * inChannels);
    kernels.unpackSigns(words, signs, g.outChannels * taps, inChannels);
    const filter = new Float32Array(signs.length);
    for (let co = 0; co < g.outChannels; co++)
      for (let i = 0; i < taps * inChannels; i++)
        filter[i * g.outChannels + co] = signs[co * taps * inChannels + i]! * alpha[co]!;
    return {
      output: outputOf(node),
      kernel: 'float conv, 1-bit weights',
      run: ([x], y, batch) => kernels.conv2d(x!.floats, filter, y.floats, geometry(batch)),
    };
  },
  xnorConv2d: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const { filter } = xnorFilter(node, g, tensors, kernels);
    const alpha = tensors.floats(node.alpha, g.outChannels);
    const scale = node.scale ? tensors.floats(node.scale, g.outChannels) : none;
    const shift = node.shift ? tensors.floats(node.shift, g.outChannels) : none;
    const run: Step['run'] = ([x], y, batch) =>
      kernels.xnorConv2dScaled(x!.words, filter, alpha, scale, shift, y.floats, geometry(batch), node.padding);
    return { output: outputOf(node), kernel: 'xnor-popcount', run };
  },
  xnorConv2dThreshold: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const { filter } = xnorFilter(node, g, tensors, kernels);
    const threshold = tensors.integers(node.threshold, g.outChannels);
    const flip = tensors.integers(node.flip, g.outChannels);
    const run: Step['run'] = ([x], y, batch) =>
      kernels.xnorConv2dThreshold(x!.words, filter, threshold, flip, y.words, geometry(batch), node.padding);
    return { output: outputOf(node, true), kernel: 'xnor-popcount + threshold', run };
  },
  planesConv2d: (node, inputs, tensors, kernels) => {
    const geometry = convOf(node, inputs[0]!);
    const g = geometry(1);
    const reach = g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups);
    const { words, filter } = xnorFilter(node, g, tensors, kernels);
    const [sums, scale] = [filterSignSums(words, g.outChannels, reach), tensors.floats(node.scale, g.outChannels)];
    let dots = new Int32Array(0);
    const run: Step['run'] = (planes, y, batch) => {
      if (dots.length < y.floats.length) dots = new Int32Array(y.floats.length);
      planeConvolution(
        kernels,
        planes.map((plane) => plane.words),
        filter,
        sums,
        scale,
        geometry(batch),
        dots,
        y.floats,
      );
    };
    return { output: outputOf(node), kernel: `xnor-popcount, ${inputs.length} bit-planes`, run };
  },
  unitPlane: (node, _inputs, _tensors, kernels) => {
    let scratch = new Float32Array(0);
    const run: Step['run'] = ([x], y, batch) => {
      if (scratch.length < x!.floats.length) scratch = new Float32Array(x!.floats.length);
      packUnitPlane(
        kernels,
        x!.floats,
        node.bits,
        node.plane,
        scratch,
        y.words,
        batch * rowsOf(node),
        channelsOf(node),
      );
    };
    return { output: outputOf(node, true), kernel: 'bit-plane pack', run };
  },
  sign: (node, _inputs, _tensors, kernels) => ({
    output: outputOf(node, true),
    kernel: 'sign-pack',
    run: ([x], y, batch) => kernels.packSigns(x!.floats, y.words, batch * rowsOf(node), channelsOf(node)),
  }),
  affineSign: (node, _inputs, tensors, kernels) => {
    const channels = channelsOf(node);
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    const run: Step['run'] = ([x], y, batch) =>
      kernels.packAffineSigns(x!.floats, scale, shift, y.words, batch * rowsOf(node), channels);
    return { output: outputOf(node, true), kernel: 'threshold-pack', run };
  },
  affine: (node, _inputs, tensors, kernels) => {
    const channels = channelsOf(node);
    const [scale, shift] = [tensors.floats(node.scale, channels), tensors.floats(node.shift, channels)];
    const [low, high] = [boundOf(node.low), boundOf(node.high)];
    return elementwise(node, ([x, residual], y, batch) =>
      kernels.channelAffine(
        x!.floats,
        scale,
        shift,
        residual?.floats ?? none,
        low,
        high,
        y.floats,
        batch * rowsOf(node),
        channels,
      ),
    );
  },
  dense: (node, [input], tensors, kernels) => {
    const [k, m] = [sizeOf(input!.shape), channelsOf(node)];
    const weight = tensors.floats(node.weight, k * m);
    const bias = node.bias ? tensors.floats(node.bias, m) : none;
    const run: Step['run'] = ([x], y, batch) => {
      if (bias.length > 0) for (let row = 0; row < batch; row++) y.floats.set(bias, row * m);
      kernels.sgemm(false, false, batch, m, k, x!.floats, weight, bias.length > 0, y.floats);
    };
    return { output: outputOf(node), kernel: 'float gemm', run };
  },
  prelu: (node, _inputs, tensors, kernels) => {
    const slope = tensors.floats(node.slope, channelsOf(node));
    return elementwise(node, ([x], y, batch) =>
      kernels.prelu(x!.floats, slope, y.floats, batch * rowsOf(node), slope.length),
    );
  },
  relu: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  hardtanh: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  sigmoid: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  tanh: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  softsign: (node, _inputs, _tensors, kernels) => unaryStep(node, kernels),
  unitLevels: (node) => {
    const levels = 2 ** node.bits - 1;
    return elementwise(node, ([x], y) => {
      for (let i = 0; i < y.floats.length; i++)
        y.floats[i] = Math.round(Math.min(1, Math.max(0, x!.floats[i]!)) * levels) / levels;
    });
  },
  reshape: (node) => elementwise(node, ([x], y) => y.floats.set(x!.floats)),
  add: (node, _inputs, _tensors, kernels) =>
    elementwise(node, ([a, b], y) => kernels.add(a!.floats, b!.floats, y.floats)),
  multiply: (node, _inputs, _tensors, kernels) =>
    elementwise(node, ([a, b], y) => kernels.multiply(a!.floats, b!.floats, y.floats)),
  scale: (node, _inputs, _tensors, kernels) =>
    elementwise(node, ([x], y) => kernels.blend(x!.floats, node.factor, 0, y.floats.fill(0))),
  pixelScale: (node, _inputs, _tensors, kernels) =>
    elementwise(node, ([x, factor], y, batch) =>
      kernels.rowScale(x!.floats, factor!.floats, y.floats, batch * rowsOf(node), channelsOf(node)),
    ),
  channelAbsMean: (node, [input], _tensors, kernels) =>
    elementwise(node, ([x], y, batch) =>
      kernels.rowAbsMeans(x!.floats, y.floats, batch * rowsOf(input!), channelsOf(input!)),
    ),
  maxPool: (node, [input], _tensors, kernels) => poolStep(node, input!, kernels),
  avgPool: (node, [input], _tensors, kernels) => poolStep(node, input!, kernels),
  globalAvgPool: (node, [input], _tensors, kernels) => {
    const [rows, channels] = [rowsOf(input!), channelsOf(input!)];
    return elementwise(node, ([x], y, batch) => {
      for (let n = 0; n < batch; n++) {
        const pixels = x!.floats.subarray(n * rows * channels, (n + 1) * rows * channels);
        kernels.columnSums(pixels, y.floats.subarray(n * channels, (n + 1) * channels), rows, channels);
      }
      kernels.blend(y.floats, 0, 1 / rows, y.floats);
    });
  },
  concat: (node, inputs) => {
    const channels = channelsOf(node);
    return elementwise(node, (parts, y, batch) => {
      let offset = 0;
      for (const [i, part] of parts.entries()) {
        const c = channelsOf(inputs[i]!);
        for (let row = 0; row < batch * rowsOf(node); row++)
          y.floats.set(part.floats.subarray(row * c, (row + 1) * c), row * channels + offset);
        offset += c;
      }
    });
  },
  sliceChannels: (node, [input]) => {
    const [from, kept] = [channelsOf(input!), node.end - node.begin];
    return elementwise(node, ([x], y, batch) => {
      for (let row = 0; row < batch * rowsOf(node); row++)
        y.floats.set(x!.floats.subarray(row * from + node.begin, row * from + node.end), row * kept);
    });
  },
  subsamplePad: (node, [input]) => {
    const [height, width, from] = image(node, input!);
    const [outHeight, outWidth, channels] = node.shape as [number, number, number];
    const before = (channels - from) >> 1;
    return elementwise(node, ([x], y, batch) => {
      y.floats.fill(0);
      for (let i = 0; i < batch * outHeight; i++)
        for (let ox = 0; ox < outWidth; ox++) {
          const row = Math.floor(i / outHeight) * height + (i % outHeight) * node.stride;
          const at = (row * width + ox * node.stride) * from;
          y.floats.set(x!.floats.subarray(at, at + from), (i * outWidth + ox) * channels + before);
        }
    });
  },
};

/** Length of the array that holds `batch` values of this type. */
export function storageLength(type: ValueType, batch: number): number {
  return batch * (type.packed ? rowsOf(type) * wordsPerRow(channelsOf(type)) : sizeOf(type.shape));
}
