import { Lambda } from '../nn/layers.ts';
import { flatten } from '../tensor/ops/shape.ts';
import type { Backbone } from './backbone.ts';
import { branched } from './branches.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { DenseUnit } from './units.ts';

/**
 * Fully connected network of three hidden layers, every layer binary, batch-norm after each; the input is binarized too (FINN's
 * SFC: 256, LFC: 1024; Umuroglu et al., FPGA 2017, sec. 5.1).
 */
export function mlp(hidden: number): (context: BuildContext) => Backbone {
  return ({ config, method, quantization, random }) => {
    const [height, width, channels] = config.inputShape;
    const size = scaledChannels(hidden, config.width);
    const unit = (inputs: number, outputs: number, last: boolean) => () =>
      new DenseUnit(inputs, outputs, last, method.structure, quantization, random);
    return {
      places: [],
      layers: () => [new Lambda(flatten)],
      end: (outputs) =>
        branched(method.structure, [
          unit(height * width * channels, size, false),
          unit(size, size, false),
          unit(size, size, false),
          unit(size, outputs, true),
        ]),
    };
  };
}
