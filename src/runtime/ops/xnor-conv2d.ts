import { FormatError } from '../../core/errors.ts';
import { quoted } from '../../core/printable.ts';
import { convFields, geometryOf, padding, xnor, xnorFilter } from '../conv.ts';
import { definePackedOp, maybeTensor, none, tensor } from '../op.ts';

/** Signs by signs, times alpha[c], and where they are given times scale[c] plus shift[c]. */
export const xnorConv2d = definePackedOp('xnorConv2d', {
  ...convFields,
  padding,
  alpha: tensor,
  scale: maybeTensor,
  shift: maybeTensor,
})({
  ...xnor,
  prepare: (place, tensors) => {
    const { node, kernels } = place;
    if ((node.scale === undefined) !== (node.shift === undefined))
      throw new FormatError(`node ${quoted(node.name)} has a scale or a shift, but not both: the file is damaged`);
    const geometry = geometryOf(place);
    const { filter } = xnorFilter(place, geometry(1), tensors);
    const alpha = tensors.floats(node.alpha, node.channels);
    const [scale, shift] = [node.scale, node.shift].map((name) => (name ? tensors.floats(name, node.channels) : none));
    return {
      kernel: 'xnor-popcount',
      run: ([x], y, batch) =>
        kernels.xnorConv2dScaled(x!.words, filter, alpha, scale!, shift!, y.floats, geometry(batch), node.padding),
    };
  },
});
