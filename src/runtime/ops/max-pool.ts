import { floatWork, keepsOutput } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';
import { pool, poolingOf } from '../pool.ts';

/** The largest value of each window; padding never wins. */
export const maxPool = definePackedOp(
  'maxPool',
  pool.fields,
)({
  ...pool,
  /** Which value was the largest. */
  memory: keepsOutput,
  prepare: (place) => {
    const geometry = poolingOf(place);
    let indices = new Int32Array(0);
    return floatWork(([x], y, batch) => {
      if (indices.length < y.floats.length) indices = new Int32Array(y.floats.length);
      place.kernels.maxPool(x!.floats, y.floats, indices, geometry(batch));
    });
  },
});
