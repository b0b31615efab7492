import type { Kernels } from '../backend/kernels.ts';
import { filterSignSums, planeConvolution } from '../backend/plane-conv.ts';
import { type ConvGeometry, convGeometry } from '../core/conv-geometry.ts';
import { FormatError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import {
  channelsOf,
  image,
  type NodeOf,
  none,
  outputOf,
  type Prepare,
  rowsOf,
  type Step,
  type ValueType,
} from './step.ts';
import type { ModelTensors } from './tensors.ts';

type ConvOp = 'conv2d' | 'signConv2d' | 'xnorConv2d' | 'xnorConv2dThreshold' | 'planesConv2d';
type ConvNode = NodeOf<ConvOp>;

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

/** The packed filter of a node. */
function filterWords(node: ConvNode, g: ConvGeometry, tensors: ModelTensors): Uint32Array {
  return tensors.filterWords(node.filter, g.outChannels, g.kernelHeight * g.kernelWidth, g.inChannels / g.groups);
}

/** The same, also in the backend's layout. */
function xnorFilter(
  node: ConvNode,
  g: ConvGeometry,
  tensors: ModelTensors,
  kernels: Kernels,
): { words: Uint32Array; filter: Uint32Array } {
  const words = filterWords(node, g, tensors);
  const filter = new Uint32Array(kernels.preparedFilterWords(g));
  kernels.prepareXnorFilter(words, filter, g);
  return { words, filter };
}

/** Convolutions: float, float by 1-bit weights, and the XNOR forms. */
export const prepareConv: { readonly [O in ConvOp]: Prepare<O> } = {
  conv2d: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const size = g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups) * g.outChannels;
    const filter = tensors.weights(node.filter, node.codeScale, size, g.outChannels);
    return {
      output: outputOf(node),
      kernel: node.codeScale ? 'float conv, weights in bytes' : 'float conv',
      run: ([x], y, batch) => kernels.conv2d(x!.floats, filter, y.floats, geometry(batch)),
    };
  },
  signConv2d: (node, [input], tensors, kernels) => {
    const geometry = convOf(node, input!);
    const g = geometry(1);
    const words = filterWords(node, g, tensors);
    const alpha = tensors.floats(node.alpha, g.outChannels);
    return {
      output: outputOf(node),
      kernel: 'sums by 1-bit weights',
      run: ([x], y, batch) => kernels.conv2dSigns(x!.floats, words, alpha, y.floats, geometry(batch)),
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
    let scratch = new Float32Array(0);
    const run: Step['run'] = (planes, y, batch) => {
      if (planes.length > 1 && scratch.length !== y.floats.length) scratch = new Float32Array(y.floats.length);
      planeConvolution(
        kernels,
        planes.map((plane) => plane.words),
        filter,
        sums,
        scale,
        geometry(batch),
        scratch,
        y.floats,
      );
    };
    return { output: outputOf(node), kernel: `xnor-popcount, ${inputs.length} bit-planes`, run };
  },
};
