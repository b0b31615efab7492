import { floatWork, nothing } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';
import { pool, poolingOf } from '../pool.ts';

/** Mean of each window, over the pixels inside the image. */
export const avgPool = definePackedOp(
  'avgPool',
  pool.fields,
)({
  ...pool,
  memory: nothing,
  prepare: (place) => {
    const geometry = poolingOf(place);
    return floatWork(([x], y, batch) => place.kernels.avgPool(x!.floats, y.floats, geometry(batch)));
  },
});
