import { filterSize } from '../../core/conv-geometry.ts';
import { filterSignSums, planeConvolution } from '../../exact/plane-conv.ts';
import { convCost, convFields, geometryOf, xnor, xnorFilter } from '../conv.ts';
import { keepsOutput } from '../elementwise.ts';
import { definePackedOp, tensor, type ValueKind } from '../op.ts';

/** Codes of several bits, a bit-plane each, by signs; times scale[c]. */
export const planesConv2d = definePackedOp('planesConv2d', { ...convFields, scale: tensor })({
  ...xnor,
  takes: Array<ValueKind>(8).fill('signs'),
  least: 1,
  cost: (place) => {
    const cost = convCost(place, 1, 1);
    return { ...cost, macs: cost.macs * place.inputs.length };
  },
  memory: (place) => ({ ...xnor.memory(place), ...(place.inputs.length > 1 ? keepsOutput(place) : {}) }),
  prepare: (place, tensors) => {
    const { node, inputs, kernels } = place;
    const geometry = geometryOf(place);
    const { words, filter } = xnorFilter(place, geometry(1), tensors);
    const sums = filterSignSums(words, node.channels, filterSize(geometry(1)) / node.channels);
    const scale = tensors.floats(node.scale, node.channels);
    let scratch = new Float32Array(0);
    return {
      kernel: `xnor-popcount, ${inputs.length} bit-planes`,
      run: (planes, y, batch) => {
        if (planes.length > 1 && scratch.length !== y.floats.length) scratch = new Float32Array(y.floats.length);
        const words = planes.map((plane) => plane.words);
        planeConvolution(kernels, words, filter, sums, scale, geometry(batch), scratch, y.floats);
      },
    };
  },
});
