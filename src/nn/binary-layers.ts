import { type ActivationQuantizer, floatActivation } from '../binarize/activations.ts';
import type { BinarizeContext } from '../binarize/context.ts';
import { joinedStart, type LayerOwn, type LayerStart, type OutputMap } from '../binarize/quantizer.ts';
import type { WeightQuantizer } from '../binarize/weights.ts';
import { convGeometry, convOutputShape } from '../core/conv-geometry.ts';
import type { Random } from '../core/random.ts';
import type { Shape } from '../core/shape.ts';
import { add, channelAbsMean, pixelScale } from '../tensor/ops/arithmetic.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { reshape } from '../tensor/ops/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type BinaryConv2dOptions, type BinaryLayer, observe } from './binary-layer.ts';
import { glorotBound, heNormal } from './layers.ts';
import { Module, Parameter, StateArray } from './module.ts';
import { binaryProduct } from './product.ts';

/** How a layer binarizes: the part of a method that layers need. */
export interface Quantization {
  readonly weight: WeightQuantizer;
  readonly activation: ActivationQuantizer;
  readonly output?: OutputMap;
  readonly activationScale: boolean;
  readonly latent: 'he' | 'glorot';
  /** Shape of the latent weights from that of the filter, where they are others. */
  readonly latentShape?: (filter: Shape) => Shape;
  /** Padded convolutions are summed over dilations 1 to this. */
  readonly dilations?: number;
  /** Of the first layer: its input are the pixels, and stay floats. */
  readonly pixels?: boolean;
  readonly context: BinarizeContext;
}

/**
 * Convolution whose weights, and usually activations, a method binarizes. [N,H,W,Cin] -> [N,OH,OW,Cout]. With 1-bit weights and
 * activations it runs by XNOR and population count, in training too.
 */
export class BinaryConv2d extends Module implements BinaryLayer {
  readonly weight: Parameter;
  /** What the quantizers of this layer learn and keep, from `start` on. */
  readonly learned: Record<string, Parameter> = {};
  readonly kept: Record<string, StateArray> = {};
  readonly options: BinaryConv2dOptions;
  private quantization: Quantization;
  private readonly random: Random;
  private own: LayerOwn | null = null;

  constructor(options: BinaryConv2dOptions, quantization: Quantization, random: Random) {
    super();
    this.options = options;
    this.random = random;
    this.quantization = quantization;
    const shape = quantization.latentShape?.(this.filterShape) ?? this.filterShape;
    this.weight = heNormal(shape, random, 'latent');
    if (quantization.latent === 'glorot') {
      random.fillUniform(this.weight.data, -1, 1);
      this.weight.rateFactor = 1 / glorotBound(shape);
    }
  }

  override forward(x: Tensor): Tensor {
    const { weight, activation, output, activationScale, context } = this.quantization;
    this.own ??= this.begin(x.shape.slice(1, 3));
    const { own } = this;
    const filter = weight(this.weight, context, own);
    const signs = activation(x, context, own);
    observe({ layer: this, input: x, activation: signs, filter });
    let y = this.dilated.map((options) => binaryProduct(signs, filter, options)).reduce(add);
    if (activationScale) y = pixelScale(y, this.boxMean(channelAbsMean(x)));
    return output ? output(y, context, own, x) : y;
  }

  /** The convolution at each of its dilations; all give maps of one size. */
  private get dilated(): BinaryConv2dOptions[] {
    const { pad = 0, kernel } = this.options;
    const { dilations = 1 } = this.quantization;
    if (dilations === 1 || kernel === 1 || typeof pad !== 'number' || 2 * pad !== kernel - 1) return [this.options];
    return Array.from({ length: dilations }, (_, i) => ({ ...this.options, dilation: i + 1, pad: pad * (i + 1) }));
  }

  /** [KH,KW,Cin/groups,Cout] */
  private get filterShape(): Shape {
    const { kernel, inChannels, outChannels, groups = 1 } = this.options;
    return [kernel, kernel, inChannels / groups, outChannels];
  }

  get pixels(): boolean {
    return this.quantization.pixels ?? false;
  }

  /**
   * Computes otherwise than its method says; what its quantizers kept so far is forgotten. The map of its output goes with the quantizers, whose errors
   * it is for; the convolution stays what it was.
   */
  requantize({ weight, activation }: Pick<Quantization, 'weight' | 'activation'>): void {
    const { output: _, ...others } = this.quantization;
    const input = this.pixels ? floatActivation : activation;
    this.quantization = { ...others, weight, activation: input, activationScale: false };
    this.own = null;
  }

  /** Of a layer whose size was not declared, at its next forward pass. */
  start(): void {
    const { size } = this.options;
    this.own = size ? this.begin(size) : null;
  }

  private begin(size: Shape): LayerOwn {
    const { weight, activation, output } = this.quantization;
    const { inChannels } = this.options;
    const { learned = {}, kept = {} } = joinedStart([weight, activation, output ?? {}])({
      weight: this.weight,
      input: [...size, inChannels],
      output: convOutputShape(
        convGeometry('binary layer', [1, ...size, inChannels], this.filterShape, this.options),
      ).slice(1),
      random: this.random,
    } satisfies LayerStart);
    for (const [name, { values, shape, decay, rateFactor }] of Object.entries(learned)) {
      // pooled arrays return to the pool when this step ends
      const parameter = new Parameter(values.slice(), shape ?? [values.length], 'quantizer');
      parameter.decayed = decay;
      parameter.rateFactor = rateFactor ?? 1;
      this.learned[name] = parameter;
    }
    for (const [name, values] of Object.entries(kept)) this.kept[name] = new StateArray(values.slice());
    const states = Object.entries(this.kept).map(([name, state]) => [name, state.data] as const);
    return { learned: this.learned, kept: Object.fromEntries(states) };
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
    const options = { inChannels: inputs, outChannels: outputs, kernel: 1, size: [1, 1] } as const;
    this.conv = new BinaryConv2d(options, quantization, random);
  }

  override forward(x: Tensor): Tensor {
    const pixels = reshape(x, [x.rows, 1, 1, x.channels]);
    const y = this.conv.forward(pixels);
    return reshape(y, [x.rows, y.channels]);
  }
}
