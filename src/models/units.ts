import type { Random } from '../core/random.ts';
import type { Structure } from '../methods/method.ts';
import { BatchNorm, type BatchNormOptions } from '../nn/batch-norm.ts';
import type { BinaryConv2dOptions } from '../nn/binary-layer.ts';
import { BinaryConv2d, BinaryLinear, type Quantization } from '../nn/binary-layers.ts';
import { ChannelGain, PRelu, RPRelu, ShiftPRelu, TwoSlopes } from '../nn/layers.ts';
import { Module, Sequential } from '../nn/module.ts';
import { Unnormalised } from '../nn/norm-free.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { type Epilogue, shiftNorm } from '../tensor/ops/normalise.ts';
import { maxPool, type PoolOptions } from '../tensor/ops/pooling.ts';
import { discard } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Clamp bounds that make batch-norm's epilogue the activation, where it is one. */
export const clamps: Record<Structure['activation'], Epilogue['clamp']> = {
  hardtanh: [-1, 1],
  relu: [0, Number.POSITIVE_INFINITY],
  prelu: undefined,
  rprelu: undefined,
  'shift-rprelu': undefined,
  'two-slopes': undefined,
  maxout: undefined,
  none: undefined,
};

const normOptions = ({ plainNorm, shiftNorm: byShifts }: Structure): BatchNormOptions => ({
  affine: !plainNorm,
  ...(byShifts ? { rule: shiftNorm } : {}),
});

type Norm = BatchNorm | Unnormalised;

const normOf = (structure: Structure, channels: number): Norm =>
  structure.normFree ? new Unnormalised(structure.normFree.branch) : new BatchNorm(channels, normOptions(structure));

/** PReLU and its relatives. */
export function slopeOf({ activation }: Pick<Structure, 'activation'>, channels: number): Module | null {
  if (activation === 'prelu') return new PRelu(channels);
  if (activation === 'two-slopes') return new TwoSlopes(channels);
  if (activation === 'maxout') return new Sequential([new PRelu(channels), new ChannelGain(channels)]);
  if (activation === 'shift-rprelu') return new RPRelu(channels, new ShiftPRelu(channels));
  return activation === 'rprelu' ? new RPRelu(channels) : null;
}

export interface UnitOptions extends BinaryConv2dOptions {
  /** Max-pooling right after the convolution (survey sec. 3.5: before BN, so that it does not saturate). */
  readonly pool?: PoolOptions;
  /** A shortcut will be added to the output. */
  readonly shortcut?: boolean;
  /** Factor of the input, default 1: in networks without batch-norm, one over its expected spread. */
  readonly inputScale?: number;
}

/**
 * One binary convolution with its batch-norm and activation, in the order the method asks for:
 * `conv-bn` act(BN(pool(conv(sign x))) + shortcut), `bn-conv` act(pool(conv(sign(BN x))) + shortcut); or with the activation before the sum.
 */
export class ConvUnit extends Module {
  readonly conv: BinaryConv2d;
  readonly norm: Norm;
  readonly slope: Module | null;
  readonly gate: ChannelGain | null;
  private readonly structure: Structure;
  private readonly pool: PoolOptions | undefined;
  private readonly inputScale: number;

  constructor(options: UnitOptions, structure: Structure, quantization: Quantization, random: Random) {
    super();
    this.structure = structure;
    this.pool = options.pool;
    this.inputScale = options.inputScale ?? 1;
    this.conv = new BinaryConv2d(options, quantization, random);
    this.norm = normOf(structure, structure.order === 'conv-bn' ? options.outChannels : options.inChannels);
    this.slope = slopeOf(structure, options.outChannels);
    this.gate = structure.gatedShortcut && options.shortcut ? new ChannelGain(options.outChannels) : null;
  }

  override forward(x: Tensor): Tensor {
    return this.apply(x, undefined);
  }

  /** @param ungated the shortcut, added before the activation; same shape as the output */
  apply(x: Tensor, ungated: Tensor | undefined): Tensor {
    const shortcut = ungated && this.gate ? this.gate.forward(ungated) : ungated;
    if (!shortcut || this.structure.activationPlace !== 'in-branch') return this.activated(x, shortcut);
    return add(this.activated(x, undefined), shortcut);
  }

  private activated(unscaled: Tensor, shortcut: Tensor | undefined): Tensor {
    const x = this.inputScale === 1 ? unscaled : scale(unscaled, this.inputScale);
    const clamp = clamps[this.structure.activation];
    if (this.structure.order === 'conv-bn') {
      const late = this.structure.pooling === 'after-norm';
      const product = this.conv.forward(x);
      const normed = this.norm.apply(late ? product : this.pooled(product), { residual: shortcut, clamp });
      const y = late && this.pool ? maxPool(normed, this.pool) : normed;
      return this.slope ? this.slope.forward(y) : y;
    }
    const y = this.pooled(this.conv.forward(this.norm.forward(x)));
    const sum = shortcut ? add(y, shortcut) : y;
    return this.slope ? this.slope.forward(sum) : sum;
  }

  private pooled(x: Tensor): Tensor {
    if (!this.pool) return x;
    const y = maxPool(x, this.pool);
    // the largest activation of the network, and neither product nor pooling needs it for its gradient
    discard(x);
    return y;
  }
}

/** A binary dense layer with batch-norm and activation: [N,K] -> [N,M]; the last one of a network keeps its logits unclamped. */
export class DenseUnit extends Module {
  readonly dense: BinaryLinear;
  readonly norm: Norm;
  readonly slope: Module | null;
  private readonly structure: Structure;
  private readonly last: boolean;

  constructor(
    inputs: number,
    outputs: number,
    last: boolean,
    structure: Structure,
    quantization: Quantization,
    random: Random,
  ) {
    super();
    this.structure = structure;
    this.last = last;
    this.dense = new BinaryLinear(inputs, outputs, quantization, random);
    this.norm = normOf(structure, structure.order === 'conv-bn' || last ? outputs : inputs);
    this.slope = last ? null : slopeOf(structure, outputs);
  }

  override forward(x: Tensor): Tensor {
    const y =
      this.structure.order === 'bn-conv' && !this.last
        ? this.dense.forward(this.norm.forward(x))
        : this.norm.apply(this.dense.forward(x), this.last ? {} : { clamp: clamps[this.structure.activation] });
    return this.slope ? this.slope.forward(y) : y;
  }
}
