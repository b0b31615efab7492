import { filterSize } from '../../core/conv-geometry.ts';
import { conv, convCost, convFields, floatConvScratch, geometryOf } from '../conv.ts';
import { definePackedOp, maybeTensor } from '../op.ts';

/** Floats by floats, or by whole codes times a factor for each output channel. */
export const conv2d = definePackedOp('conv2d', { ...convFields, codeScale: maybeTensor })({
  ...conv,
  cost: (place) => convCost(place, place.node.codeScale ? 8 : 32, 32),
  memory: (place) => {
    const g = geometryOf(place)(1);
    return { constants: place.node.codeScale ? 4 * filterSize(g) : 0, scratch: floatConvScratch(g) };
  },
  prepare: (place, tensors) => {
    const { node, kernels } = place;
    const geometry = geometryOf(place);
    const filter = tensors.weights(node.filter, node.codeScale, filterSize(geometry(1)), node.channels);
    return {
      kernel: node.codeScale ? 'float conv, weights in bytes' : 'float conv',
      run: ([x], y, batch) => kernels.conv2d(x!.floats, filter, y.floats, geometry(batch)),
    };
  },
});
