// An op with its gradient, and its form in packed files.
import { definePackedOp, defineTranslation, emptyTensor, nodeOf, packedOp, record } from 'signum-bnn';

const ramp = (x, softness) => (x + Math.sqrt(x * x + softness)) / 2;

/** y = (x + sqrt(x² + softness)) / 2, a ReLU without a corner; dy/dx = y / sqrt(x² + softness). */
export function softRamp(x, softness) {
  const y = emptyTensor(x.shape);
  for (const [i, value] of x.data.entries()) y.data[i] = ramp(value, softness);
  const backward = (g) => {
    // the gradient of y is ours: multiplied in place, it becomes that of x
    for (let i = 0; i < g.length; i++) g[i] *= y.data[i] / Math.sqrt(x.data[i] ** 2 + softness);
    return [g];
  };
  return record('softRamp', [x], y, backward, { attributes: { softness } });
}

/** The same in a packed file: a node that says how soft it is. */
export const packedRamp = definePackedOp('softRamp', { softness: packedOp.positive })({
  ...packedOp.elementwise,
  prepare: ({ node: { softness } }) =>
    packedOp.floatWork(([x], y) => {
      for (let i = 0; i < y.floats.length; i++) y.floats[i] = ramp(x.floats[i], softness);
    }),
});

export const packRamp = defineTranslation('softRamp', 'rectifies', ({ softness }, at) => [
  nodeOf(packedRamp, at, { softness }),
]);
