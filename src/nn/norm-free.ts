import { BinarizeContext } from '../binarize/context.ts';
import { standardise } from '../binarize/transforms.ts';
import type { Random } from '../core/random.ts';
import { hardtanh, relu } from '../tensor/ops/activation.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { channelScale } from '../tensor/ops/channel.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import type { Epilogue } from '../tensor/ops/normalise.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Conv2d, type Conv2dOptions } from './layers.ts';
import { Module, Parameter } from './module.ts';

/**
 * Each filter with mean 0 and norm 1: products of inputs of variance 1 have variance 1, without batch-norm.
 *
 * Source: Brock et al. 2021 (NF-ResNets), eq. 1.
 */
export function unitFilters(w: Tensor): Tensor {
  // the spread is the unbiased one: n - 1 of its squares make the norm
  return scale(standardise(w, stateless), 1 / Math.sqrt(Math.max(1, w.rows - 1)));
}

const stateless = new BinarizeContext(0);

/** Float convolution by unit filters times a learned gain. [N,H,W,Cin] -> [N,OH,OW,Cout] */
export class UnitConv2d extends Conv2d {
  readonly gain: Parameter;

  constructor(options: Conv2dOptions, random: Random) {
    super(options, random);
    this.gain = new Parameter(new Float32Array(options.outChannels).fill(1), [options.outChannels], 'scale');
  }

  override forward(x: Tensor): Tensor {
    const filters = this.quantizeWeight(channelScale(unitFilters(this.weight), this.gain));
    return conv2d(x, filters, this.options);
  }
}

/** In the place of a batch-norm: nothing, but that what joins a shortcut is damped, so that the sum grows slowly. */
export class Unnormalised extends Module {
  private readonly branch: number;

  /** @param branch factor of what is added to a shortcut */
  constructor(branch: number) {
    super();
    this.branch = branch;
  }

  override forward(x: Tensor): Tensor {
    return this.apply(x);
  }

  apply(x: Tensor, { residual, clamp }: Epilogue = {}): Tensor {
    const y = residual ? add(scale(x, this.branch), residual) : x;
    if (!clamp) return y;
    return clamp[1] === Number.POSITIVE_INFINITY ? relu(y) : hardtanh(y);
  }
}
