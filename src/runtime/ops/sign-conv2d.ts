import { conv, convCost, convFields, filterWords, geometryOf, looseBytes, signConvScratch } from '../conv.ts';
import { definePackedOp, tensor } from '../op.ts';

/** Floats by signs: sums only, times alpha[c]. */
export const signConv2d = definePackedOp('signConv2d', { ...convFields, alpha: tensor })({
  ...conv,
  cost: (place) => convCost(place, 1, 32),
  memory: (place) => {
    const g = geometryOf(place)(1);
    return { constants: looseBytes(g), scratch: signConvScratch(g) };
  },
  prepare: (place, tensors) => {
    const { node, kernels } = place;
    const geometry = geometryOf(place);
    const words = filterWords(node.filter, geometry(1), tensors);
    const alpha = tensors.floats(node.alpha, node.channels);
    return {
      kernel: 'sums by 1-bit weights',
      run: ([x], y, batch) => kernels.conv2dSigns(x!.floats, words, alpha, y.floats, geometry(batch)),
    };
  },
});
