import type { Kernels } from '../backend/kernels.ts';
import type { ConvGeometry } from '../core/conv-geometry.ts';
import { filterSignSums, planeConvolution } from '../exact/plane-conv.ts';
import { type ConvNode, convOf } from './geometry.ts';
import { none, type Prepare, type ValueType, type Work } from './step.ts';
import type { ModelTensors } from './tensors.ts';

/** Geometry for any batch size. */
function geometryOf(node: ConvNode, input: ValueType): (batch: number) => ConvGeometry {
  const geometry = convOf(node, input.shape);
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
export const prepareConv: { readonly [O in ConvNode['op']]: Prepare<O> } = {
  conv2d: (node, [input], tensors, kernels) => {
    const geometry = geometryOf(node, input!);
    const g = geometry(1);
    const size = g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups) * g.outChannels;
    const filter = tensors.weights(node.filter, node.codeScale, size, g.outChannels);
    return {
      kernel: node.codeScale ? 'float conv, weights in bytes' : 'float conv',
      run: ([x], y, batch) => kernels.conv2d(x!.floats, filter, y.floats, geometry(batch)),
    };
  },
  signConv2d: (node, [input], tensors, kernels) => {
    const geometry = geometryOf(node, input!);
    const g = geometry(1);
    const words = filterWords(node, g, tensors);
    const alpha = tensors.floats(node.alpha, g.outChannels);
    return {
      kernel: 'sums by 1-bit weights',
      run: ([x], y, batch) => kernels.conv2dSigns(x!.floats, words, alpha, y.floats, geometry(batch)),
    };
  },
  xnorConv2d: (node, [input], tensors, kernels) => {
    const geometry = geometryOf(node, input!);
    const g = geometry(1);
    const { filter } = xnorFilter(node, g, tensors, kernels);
    const alpha = tensors.floats(node.alpha, g.outChannels);
    const scale = node.scale ? tensors.floats(node.scale, g.outChannels) : none;
    const shift = node.shift ? tensors.floats(node.shift, g.outChannels) : none;
    const run: Work['run'] = ([x], y, batch) =>
      kernels.xnorConv2dScaled(x!.words, filter, alpha, scale, shift, y.floats, geometry(batch), node.padding);
    return { kernel: 'xnor-popcount', run };
  },
  xnorConv2dThreshold: (node, [input], tensors, kernels) => {
    const geometry = geometryOf(node, input!);
    const g = geometry(1);
    const { filter } = xnorFilter(node, g, tensors, kernels);
    const threshold = tensors.integers(node.threshold, g.outChannels);
    const flip = tensors.integers(node.flip, g.outChannels);
    const run: Work['run'] = ([x], y, batch) =>
      kernels.xnorConv2dThreshold(x!.words, filter, threshold, flip, y.words, geometry(batch), node.padding);
    return { kernel: 'xnor-popcount + threshold', run };
  },
  planesConv2d: (node, inputs, tensors, kernels) => {
    const geometry = geometryOf(node, inputs[0]!);
    const g = geometry(1);
    const reach = g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups);
    const { words, filter } = xnorFilter(node, g, tensors, kernels);
    const [sums, scale] = [filterSignSums(words, g.outChannels, reach), tensors.floats(node.scale, g.outChannels)];
    let scratch = new Float32Array(0);
    const run: Work['run'] = (planes, y, batch) => {
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
    return { kernel: `xnor-popcount, ${inputs.length} bit-planes`, run };
  },
};
