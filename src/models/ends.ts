import { floatActivation } from '../binarize/activations.ts';
import type { Random } from '../core/random.ts';
import type { Structure } from '../methods/method.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryConv2d, type Quantization } from '../nn/binary-layers.ts';
import { Linear } from '../nn/layers.ts';
import { type Module, Parameter } from '../nn/module.ts';
import { channelShift } from '../tensor/ops/channel.ts';
import { reshape } from '../tensor/ops/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BuildContext } from './network.ts';

export const hasBinaryEnds = ({ firstLast = 'float' }: Structure): boolean => firstLast !== 'float';

/** How a first layer binarizes: the method's weights, pixels as they are. */
export const ofPixels = (quantization: Quantization): Quantization => ({
  ...quantization,
  activation: floatActivation,
  activationScale: false,
  dilations: 1,
  pixels: true,
});

/** A binary last layer, [N,K] -> [N,outputs]; its parameters are called as those of `Linear`, so that a float network starts it. */
class BinaryEnd extends BinaryConv2d {
  readonly bias: Parameter | null;

  constructor(inputs: number, outputs: number, biased: boolean, quantization: Quantization, random: Random) {
    super({ inChannels: inputs, outChannels: outputs, kernel: 1, size: [1, 1] }, quantization, random);
    this.bias = biased ? new Parameter(new Float32Array(outputs), [outputs], 'bias') : null;
  }

  override forward(x: Tensor): Tensor {
    const y = super.forward(reshape(x, [x.rows, 1, 1, x.channels]));
    const logits = reshape(y, [x.rows, y.channels]);
    return this.bias ? channelShift(logits, this.bias) : logits;
  }
}

/** The last layer, from features [N,K] to [N,outputs]: float, or as the method's structure has it. */
export function lastLayer(features: number, outputs: number, { method, quantization, random }: BuildContext): Module[] {
  const { firstLast = 'float', classifierStart } = method.structure;
  if (firstLast === 'float') return [new Linear(features, outputs, random, classifierStart)];
  const biased = firstLast === 'binary-biased';
  const layer = new BinaryEnd(features, outputs, biased, quantization, random);
  return biased ? [layer] : [layer, new BatchNorm(outputs)];
}
