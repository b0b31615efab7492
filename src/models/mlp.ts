import { Lambda } from '../nn/layers.ts';
import { type Module, Sequential } from '../nn/module.ts';
import { flatten } from '../tensor/ops/shape.ts';
import { branched } from './branches.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { DenseUnit } from './units.ts';

/**
 * Fully connected network of three hidden layers, every layer binary, batch-norm after each; the input is binarized too (FINN's
 * SFC: 256, LFC: 1024; Umuroglu et al., FPGA 2017, sec. 5.1).
 */
export function mlp(hidden: number): (context: BuildContext) => Module {
  return ({ config, method, quantization, random }) => {
    const [height, width, channels] = config.inputShape;
    const size = scaledChannels(hidden, config.width);
    const sizes = [height * width * channels, size, size, size, config.classes];
    const units = sizes
      .slice(1)
      .map(
        (outputs, i) => () =>
          new DenseUnit(sizes[i]!, outputs, i === sizes.length - 2, method.structure, quantization, random),
      );
    return new Sequential([new Lambda(flatten), ...branched(method.structure, units)]);
  };
}
