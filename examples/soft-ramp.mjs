// An op of your own, with its gradient, its form in packed files, and a network that has it. own-op.mjs trains it, plugin.mjs gives it to the
// command line.
import {
  BatchNorm,
  BinaryConv2d,
  Conv2d,
  defineModel,
  definePackedOp,
  defineTranslation,
  emptyTensor,
  Lambda,
  Linear,
  nodeOf,
  ops,
  packedOp,
  record,
  Sequential,
} from 'signum-bnn';

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

export const ramped = defineModel({
  id: 'ramped',
  title: 'Three layers with soft ramps',
  inputShape: [16, 16, 1],
  smallestSide: 8,
  build: ({ config, quantization, random }) => {
    const [[height, width, inChannels], channels] = [config.inputShape, Math.round(32 * config.width)];
    const pixels = Math.ceil(height / 4) * Math.ceil(width / 4);
    return new Sequential([
      new Conv2d({ inChannels, outChannels: channels, kernel: 3, pad: 1, stride: 2 }, random),
      new BatchNorm(channels),
      new BinaryConv2d(
        { inChannels: channels, outChannels: channels, kernel: 3, pad: 1, stride: 2 },
        quantization,
        random,
      ),
      new BatchNorm(channels),
      new Lambda((x) => softRamp(x, 0.5)),
      new Lambda(ops.flatten),
      new Linear(pixels * channels, config.classes, random),
    ]);
  },
});
