import type { Random } from '../core/random.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { Conv2d, type Conv2dOptions } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { maxPool, type PoolOptions } from '../tensor/ops/pooling.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface StemOptions extends Conv2dOptions {
  readonly clamp?: readonly [number, number];
  readonly pool?: PoolOptions;
}

/** The first, full-precision layer: conv, batch-norm, clamp, pool. */
export class Stem extends Module {
  readonly conv: Conv2d;
  readonly norm: BatchNorm;
  private readonly options: StemOptions;

  constructor(options: StemOptions, random: Random) {
    super();
    this.options = options;
    this.conv = new Conv2d(options, random);
    this.norm = new BatchNorm(options.outChannels);
  }

  override forward(x: Tensor): Tensor {
    const y = this.norm.apply(this.conv.forward(x), { clamp: this.options.clamp });
    return this.options.pool ? maxPool(y, this.options.pool) : y;
  }
}
