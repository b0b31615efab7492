import type { Random } from '../core/random.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { Conv2d, type Conv2dOptions, Lambda } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { maxPool, type PoolOptions } from '../tensor/ops/pooling.ts';
import { Tensor } from '../tensor/tensor.ts';

export interface StemOptions extends Conv2dOptions {
  /** Zeros put around the image before, in pixels on each side: a convolution pads by less than its kernel. */
  readonly frame?: number;
  readonly clamp?: readonly [number, number];
  readonly pool?: PoolOptions;
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

/** The first, full-precision layer: frame, conv, batch-norm, clamp, pool. */
export class Stem extends Module {
  readonly conv: Conv2d;
  readonly norm: BatchNorm;
  readonly frame: Module | null;
  private readonly options: StemOptions;

  constructor(options: StemOptions, random: Random) {
    super();
    this.options = options;
    this.conv = new Conv2d(options, random);
    this.norm = new BatchNorm(options.outChannels);
    this.frame = options.frame ? frameLayer(options.inChannels, options.frame) : null;
  }

  override forward(x: Tensor): Tensor {
    const y = this.norm.apply(this.conv.forward(this.frame ? this.frame.forward(x) : x), { clamp: this.options.clamp });
    return this.options.pool ? maxPool(y, this.options.pool) : y;
  }
}
