import { subtractSigns } from '../../exact/sample-factors.ts';
import { factorFor, floatWork } from '../elementwise.ts';
import { definePackedOp } from '../op.ts';

/** x - beta sign(x), a beta for each image */
export const signResidual = definePackedOp('signResidual')({
  ...factorFor('row'),
  prepare: () => floatWork(([x, beta], y, batch) => subtractSigns(x!.floats, beta!.floats, y.floats, batch)),
});
