import type { BinaryPadding } from '../backend/kernels.ts';
import type { ActivationQuantizer } from '../binarize/activations.ts';
import type { BinarizeContext } from '../binarize/context.ts';
import type { WeightQuantizer } from '../binarize/weights.ts';
import type { Random } from '../core/random.ts';
import { channelAbsMean, pixelScale } from '../tensor/ops/arithmetic.ts';
import { binaryConv2d } from '../tensor/ops/binary-conv.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { planeConv2d } from '../tensor/ops/plane-conv.ts';
import { reshape } from '../tensor/ops/shape.ts';
import { signConv2d } from '../tensor/ops/sign-conv.ts';
import { PlaneTensor, SignFilter, SignTensor, Tensor } from '../tensor/tensor.ts';
import { type Conv2dOptions, glorotBound, heNormal } from './layers.ts';
import { Module, type Parameter } from './module.ts';

/** How a layer binarizes: the part of a method that layers need. */
export interface Quantization {
  readonly weight: WeightQuantizer;
  readonly activation: ActivationQuantizer;
  readonly output?: (y: Tensor, context: BinarizeContext) => Tensor;
  readonly activationScale: boolean;
  readonly latent: 'he' | 'glorot';
  readonly context: BinarizeContext;
}

/** What a layer saw and used in one forward pass, for metrics. */
export interface LayerProbe {
  readonly layer: BinaryConv2d;
  readonly input: Tensor;
  readonly filter: Tensor;
}

let probe: ((observation: LayerProbe) => void) | null = null;

/** Calls `observe` for every binary layer that runs inside `body`. */
export function withProbe<T>(observe: (observation: LayerProbe) => void, body: () => T): T {
  probe = observe;
  try {
    return body();
  } finally {
    probe = null;
  }
}

export interface BinaryConv2dOptions extends Conv2dOptions {
  readonly padding?: BinaryPadding;
}

/**
 * Convolution whose weights, and usually activations, a method binarizes. [N,H,W,Cin] -> [N,OH,OW,Cout]. With 1-bit weights and
 * activations it runs by XNOR and population count, in training too.
 */
export class BinaryConv2d extends Module {
  readonly weight: Parameter;
  readonly options: BinaryConv2dOptions;
  private readonly quantization: Quantization;

  constructor(options: BinaryConv2dOptions, quantization: Quantization, random: Random) {
    super();
    this.options = options;
    this.quantization = quantization;
    const { kernel, inChannels, outChannels, groups = 1 } = options;
    const shape = [kernel, kernel, inChannels / groups, outChannels];
    this.weight = heNormal(shape, random, 'latent');
    if (quantization.latent === 'glorot') {
      random.fillUniform(this.weight.data, -1, 1);
      this.weight.rateFactor = 1 / glorotBound(shape);
    }
  }

  override forward(x: Tensor): Tensor {
    const { weight, activation, output, activationScale, context } = this.quantization;
    const filter = weight(this.weight, context);
    probe?.({ layer: this, input: x, filter });
    const input = activation(x, context);
    let y = this.product(input, filter);
    if (activationScale) y = pixelScale(y, this.boxMean(channelAbsMean(x)));
    return output ? output(y, context) : y;
  }

  /** By XNOR where both sides are bits, by bit-planes for k-bit activations, by additions for float ones; else in float. */
  private product(input: Tensor, filter: Tensor): Tensor {
    if (!(filter instanceof SignFilter)) return conv2d(input, filter, this.options);
    if (input instanceof SignTensor) return binaryConv2d(input, filter, this.options);
    return input instanceof PlaneTensor
      ? planeConv2d(input, filter, this.options)
      : signConv2d(input, filter, this.options);
  }

  /** XNOR-Net's K: every kernel window's mean of A, zero outside the image (Rastegari 2016, sec. 3.2). */
  private boxMean(channelMean: Tensor): Tensor {
    const { kernel, stride, pad, dilation } = this.options;
    const box = new Tensor(new Float32Array(kernel * kernel).fill(1 / (kernel * kernel)), [kernel, kernel, 1, 1]);
    return conv2d(channelMean, box, { stride: stride ?? 1, pad: pad ?? 0, dilation: dilation ?? 1 });
  }
}

/** A binary dense layer, [N,K] -> [N,M]: a 1x1 binary convolution over one pixel. */
export class BinaryLinear extends Module {
  readonly conv: BinaryConv2d;

  constructor(inputs: number, outputs: number, quantization: Quantization, random: Random) {
    super();
    this.conv = new BinaryConv2d({ inChannels: inputs, outChannels: outputs, kernel: 1 }, quantization, random);
  }

  override forward(x: Tensor): Tensor {
    const pixels = reshape(x, [x.rows, 1, 1, x.channels]);
    const y = this.conv.forward(pixels);
    return reshape(y, [x.rows, y.channels]);
  }
}
