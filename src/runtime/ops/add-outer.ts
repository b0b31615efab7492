import { repeatRow } from '../../core/repeat-row.ts';
import { factorFor, floatWork, keepsOutput } from '../elementwise.ts';
import { channelsOf, definePackedOp, pixelsOf, tensor } from '../op.ts';

/** x[pixel, c] + value[pixel] factors[c] */
export const addOuter = definePackedOp('addOuter', { factors: tensor })({
  ...factorFor('pixel'),
  memory: keepsOutput,
  prepare: ({ node, output, kernels }, tensors) => {
    const factors = tensors.floats(node.factors, channelsOf(output));
    let spread = new Float32Array(0);
    return floatWork(([x, pixels], y, batch) => {
      if (spread.length !== y.floats.length) spread = new Float32Array(y.floats.length);
      const rows = batch * pixelsOf(output);
      kernels.rowScale(repeatRow(factors, spread), pixels!.floats, spread, rows, factors.length);
      kernels.add(x!.floats, spread, y.floats);
    });
  },
});
