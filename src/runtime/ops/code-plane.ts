import { whole } from '../../core/fields.ts';
import { packCodePlane } from '../../exact/plane-conv.ts';
import { codeFields, codesOf } from '../codes.ts';
import { keepsOutput, toSigns } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf } from '../op.ts';

/** A bit-plane of codes by comparison (core/level-codes.ts). */
export const codePlane = definePackedOp('codePlane', { ...codeFields, plane: whole(0, 7) })({
  ...toSigns,
  memory: keepsOutput,
  prepare: ({ node, output, kernels }, tensors) => {
    const [codes, rows, channels] = [codesOf(node, tensors), pixelsOf(output), channelsOf(output)];
    let scratch = new Uint32Array(0);
    return {
      kernel: 'bit-plane pack',
      run: ([x], y, batch) => {
        if (scratch.length < y.words.length) scratch = new Uint32Array(y.words.length);
        packCodePlane(kernels, x!.floats, codes, node.plane, scratch, y.words, batch * rows, channels);
      },
    };
  },
});
