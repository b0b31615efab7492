// A model: what images go through, where heads may build on that, and how it usually ends.
import { BatchNorm, BinaryConv2d, Conv2d, defineModel, Lambda, Linear, ops } from 'signum-bnn';
import { softRamp } from './op.mjs';

export const ramped = defineModel({
  id: 'ramped',
  title: 'Three layers with soft ramps',
  inputShape: [16, 16, 1],
  smallestSide: 8,
  build: ({ config, quantization, random }) => {
    const [[height, width, inChannels], channels] = [config.inputShape, Math.round(32 * config.width)];
    const size = [Math.ceil(height / 4), Math.ceil(width / 4)];
    const halved = { outChannels: channels, kernel: 3, pad: 1, stride: 2 };
    return {
      layers: () => [
        new Conv2d({ inChannels, ...halved }, random),
        new BatchNorm(channels),
        new BinaryConv2d({ inChannels: channels, ...halved }, quantization, random),
        new BatchNorm(channels),
        new Lambda((x) => softRamp(x, 0.5)),
      ],
      // maps that heads may build on: behind the fifth layer, four pixels of the image apart
      places: [{ after: 5, channels, size, stride: 4 }],
      // how it ends where a head does not say it otherwise
      end: (outputs) => [new Lambda(ops.flatten), new Linear(size[0] * size[1] * channels, outputs, random)],
    };
  },
});
