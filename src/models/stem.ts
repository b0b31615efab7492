import type { Random } from '../core/random.ts';
import type { Structure } from '../methods/method.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { BinaryConv2d, type Quantization } from '../nn/binary-layers.ts';
import { Conv2d, type Conv2dOptions, Lambda } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { UnitConv2d, Unnormalised } from '../nn/norm-free.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { maxPool, type PoolOptions } from '../tensor/ops/pooling.ts';
import { Tensor } from '../tensor/tensor.ts';
import { hasBinaryEnds, ofPixels } from './ends.ts';
import type { BuildContext } from './network.ts';
import { clamps, slopeOf } from './units.ts';

export interface StemOptions extends Conv2dOptions {
  /** Zeros put around the image before, in pixels on each side: a convolution pads by less than its kernel. */
  readonly frame?: number;
  readonly clamp?: readonly [number, number];
  /** Activation instead of the clamp. */
  readonly activation?: Structure['activation'];
  readonly pool?: PoolOptions;
  /** Unit filters instead of batch-norm. */
  readonly normFree?: Structure['normFree'];
  /** Weights quantized like these. */
  readonly quantization?: Quantization;
  /** Of the maps that its convolution sees. */
  readonly size?: Size;
}

/** What a structure wants of and after the stem, where it says so. Without batch-norm nothing is clamped. */
export const stemActivation = ({ stem, normFree }: Structure): Pick<StemOptions, 'activation' | 'normFree'> => ({
  ...(normFree ? { normFree, activation: stem ?? 'none' } : stem ? { activation: stem } : {}),
});

/** The weights of the stem where a structure wants binary ones. */
export const stemWeights = ({ method, quantization }: BuildContext): Pick<StemOptions, 'quantization'> =>
  hasBinaryEnds(method.structure) ? { quantization: ofPixels(quantization) } : {};

function stemConv(options: StemOptions, random: Random): Conv2d | BinaryConv2d {
  const { normFree, quantization } = options;
  if (quantization) return new BinaryConv2d(options, quantization, random);
  return normFree ? new UnitConv2d(options, random) : new Conv2d(options, random);
}

/** Zeros around an image, by a fixed filter that moves it: a convolution of each channel whose only tap is the middle one. */
function frameLayer(channels: number, pixels: number): Module {
  const side = 2 * pixels + 1;
  const middle = pixels * side + pixels;
  const taps = Float32Array.from({ length: side * side * channels }, (_, i) =>
    Number(Math.floor(i / channels) === middle),
  );
  const filter = new Tensor(taps, [side, side, 1, channels]);
  return new Lambda((x) => conv2d(x, filter, { pad: 2 * pixels, groups: channels }));
}

/** The first layer, of full precision or of binary weights: frame, conv, batch-norm, activation, pool. */
export class Stem extends Module {
  readonly conv: Conv2d | BinaryConv2d;
  readonly norm: BatchNorm | Unnormalised;
  readonly frame: Module | null;
  readonly slope: Module | null;
  private readonly options: StemOptions;

  constructor(options: StemOptions, random: Random) {
    super();
    this.options = options;
    const { normFree } = options;
    this.conv = stemConv(options, random);
    this.norm = normFree ? new Unnormalised(normFree.branch) : new BatchNorm(options.outChannels);
    this.frame = options.frame ? frameLayer(options.inChannels, options.frame) : null;
    this.slope = options.activation ? slopeOf({ activation: options.activation }, options.outChannels) : null;
  }

  override forward(x: Tensor): Tensor {
    const { clamp, activation, pool } = this.options;
    const product = this.conv.forward(this.frame ? this.frame.forward(x) : x);
    const normed = this.norm.apply(product, { clamp: activation ? clamps[activation] : clamp });
    const y = this.slope ? this.slope.forward(normed) : normed;
    return pool ? maxPool(y, pool) : y;
  }
}
