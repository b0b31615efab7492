import { convFields, geometryOf, padding, xnor, xnorFilter } from '../conv.ts';
import { definePackedOp, tensor } from '../op.ts';

/** The sign of a batch-norm of signs by signs, as a comparison of integers. */
export const xnorConv2dThreshold = definePackedOp('xnorConv2dThreshold', {
  ...convFields,
  padding,
  threshold: tensor,
  flip: tensor,
})({
  ...xnor,
  gives: 'signs',
  prepare: (place, tensors) => {
    const { node, kernels } = place;
    const geometry = geometryOf(place);
    const { filter } = xnorFilter(place, geometry(1), tensors);
    const threshold = tensors.integers(node.threshold, node.channels);
    const flip = tensors.integers(node.flip, node.channels);
    return {
      kernel: 'xnor-popcount + threshold',
      run: ([x], y, batch) =>
        kernels.xnorConv2dThreshold(x!.words, filter, threshold, flip, y.words, geometry(batch), node.padding),
    };
  },
});
