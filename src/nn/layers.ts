import type { ConvOptions } from '../core/conv-geometry.ts';
import type { Random } from '../core/random.ts';
import { prelu, relu, roundedPower } from '../tensor/ops/activation.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { channelScale, channelShift } from '../tensor/ops/channel.ts';
import { conv2d, dense } from '../tensor/ops/conv.ts';
import { avgPool, globalAvgPool, maxPool, type PoolOptions } from '../tensor/ops/pooling.ts';
import { flatten, subsamplePad } from '../tensor/ops/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Module, Parameter, type Role } from './module.ts';

/** Normal values with variance 2/fan-in (He et al. 2015); fan-in is the product of all axes but the last. */
export function heNormal(shape: readonly number[], random: Random, role: Role): Parameter {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(size);
  random.fillNormal(values, 0, Math.sqrt(2 / (size / shape.at(-1)!)));
  return new Parameter(values, shape, role);
}

/** sqrt(1.5/(fan-in + fan-out)) of a filter [KH,KW,Cin,Cout] (Glorot and Bengio 2010, as BinaryConnect uses it). */
export function glorotBound(shape: readonly number[]): number {
  const [kh = 1, kw = 1, inChannels = 1, outChannels = 1] = shape;
  return Math.sqrt(1.5 / (kh * kw * (inChannels + outChannels)));
}

export interface Conv2dOptions extends ConvOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
}

/** Float convolution without bias (a batch-norm follows). [N,H,W,Cin] -> [N,OH,OW,Cout] */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly options: Conv2dOptions;
  /** Weights of fewer bits, where a policy asks for them. */
  quantizeWeight: (w: Tensor) => Tensor = (w) => w;

  constructor(options: Conv2dOptions, random: Random) {
    super();
    this.options = options;
    const { kernel, inChannels, outChannels, groups = 1 } = options;
    this.weight = heNormal([kernel, kernel, inChannels / groups, outChannels], random, 'weight');
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.quantizeWeight(this.weight), this.options);
  }
}

/** Float dense layer with bias: [N,K] -> [N,M] */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  /** Weights of fewer bits, where a policy asks for them. */
  quantizeWeight: (w: Tensor) => Tensor = (w) => w;

  /** @param start weights evenly within 1/sqrt(inputs) at first, as PyTorch has it, or normal as He et al. 2015 have it */
  constructor(inputs: number, outputs: number, random: Random, start: 'even' | 'he' = 'even') {
    super();
    const bound = 1 / Math.sqrt(inputs);
    this.weight = new Parameter(new Float32Array(inputs * outputs), [inputs, outputs], 'weight');
    this.bias = new Parameter(new Float32Array(outputs), [outputs], 'bias');
    if (start === 'he') random.fillNormal(this.weight.data, 0, Math.SQRT2 * bound);
    else random.fillUniform(this.weight.data, -bound, bound);
    random.fillUniform(this.bias.data, -bound, bound);
  }

  override forward(x: Tensor): Tensor {
    return dense(x, this.quantizeWeight(this.weight), this.bias);
  }
}

/** PReLU with one slope per channel, 0.25 at first (He et al. 2015). */
export class PRelu extends Module {
  readonly slope: Parameter;

  constructor(channels: number) {
    super();
    this.slope = new Parameter(new Float32Array(channels).fill(0.25), [channels], 'scale');
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.slope);
  }
}

/** PReLU whose slopes are powers of two, 1/8 at first: shifts in hardware. The exponents are learned, rounding passes their gradient. */
export class ShiftPRelu extends Module {
  readonly exponent: Parameter;

  constructor(channels: number) {
    super();
    this.exponent = new Parameter(new Float32Array(channels).fill(-3), [channels], 'scale');
  }

  override forward(x: Tensor): Tensor {
    // trained slopes are constants
    const constant = this.training ? this.exponent : new Tensor(this.exponent.data, this.exponent.shape);
    return prelu(x, roundedPower(constant));
  }
}

/**
 * RPReLU: PReLU between two learned shifts per channel, f(x) = PReLU(x - gamma) + zeta; both shifts start at 0.
 *
 * Source: Liu 2020 (ReActNet), eq. 5.
 */
export class RPRelu extends Module {
  readonly before: Parameter;
  readonly slope: Module;
  readonly after: Parameter;

  constructor(channels: number, slope: Module = new PRelu(channels)) {
    super();
    this.before = new Parameter(new Float32Array(channels), [channels], 'bias');
    this.slope = slope;
    this.after = new Parameter(new Float32Array(channels), [channels], 'bias');
  }

  override forward(x: Tensor): Tensor {
    return channelShift(this.slope.forward(channelShift(x, this.before)), this.after);
  }
}

/** A factor per channel, 1 at first. */
export class ChannelGain extends Module {
  readonly gain: Parameter;

  constructor(channels: number) {
    super();
    this.gain = new Parameter(new Float32Array(channels).fill(1), [channels], 'scale');
  }

  override forward(x: Tensor): Tensor {
    return channelScale(x, this.gain);
  }
}

/**
 * Maxout: a slope per channel on either side of 0, each learned for itself, 1/4 below and 1 above at first.
 *
 * Source: Tu 2022 (AdaBin), eq. 16, and the authors' code.
 */
export class TwoSlopes extends Module {
  readonly below: Parameter;
  readonly above: Parameter;

  constructor(channels: number) {
    super();
    this.below = new Parameter(new Float32Array(channels).fill(0.25), [channels], 'scale');
    this.above = new Parameter(new Float32Array(channels).fill(1), [channels], 'scale');
  }

  override forward(x: Tensor): Tensor {
    const positive = relu(x);
    const negative = add(x, scale(positive, -1));
    return add(channelScale(positive, this.above), channelScale(negative, this.below));
  }
}

/** A layer without parameters, from a function. */
export class Lambda extends Module {
  private readonly apply: (x: Tensor) => Tensor;

  constructor(apply: (x: Tensor) => Tensor) {
    super();
    this.apply = apply;
  }

  override forward(x: Tensor): Tensor {
    return this.apply(x);
  }
}

export const reluLayer = () => new Lambda(relu);
export const flattenLayer = () => new Lambda(flatten);
export const globalAvgPoolLayer = () => new Lambda(globalAvgPool);
export const maxPoolLayer = (options: PoolOptions) => new Lambda((x) => maxPool(x, options));

const pairs: PoolOptions = { window: 2 };
const aroundEverySecond: PoolOptions = { window: 3, stride: 2, pad: 1 };

/**
 * Halves an image by means, for the shortcut around a 3x3 convolution of stride 2: over squares of 2x2 pixels. Of an odd side the padded convolution
 * makes (side+1)/2 and squares one less: then each mean is over the convolution's own window, as far as it lies inside the image.
 */
export const halvingLayer = () =>
  new Lambda((x) => avgPool(x, x.shape[1]! % 2 === 0 && x.shape[2]! % 2 === 0 ? pairs : aroundEverySecond));

export const subsampleLayer = (stride: number, channels: number) =>
  new Lambda((x) => subsamplePad(x, stride, channels));
