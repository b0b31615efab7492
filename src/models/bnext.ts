import { kernels } from '../backend/select.ts';
import type { Random } from '../core/random.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { globalAvgPoolLayer, halvingLayer, Linear, PRelu } from '../nn/layers.ts';
import { Module, Parameter } from '../nn/module.ts';
import { relu, sigmoid } from '../tensor/ops/activation.ts';
import { add, multiply, scale } from '../tensor/ops/arithmetic.ts';
import { channelScale } from '../tensor/ops/channel.ts';
import { globalAvgPool } from '../tensor/ops/pooling.ts';
import { channelGate } from '../tensor/ops/sample.ts';
import { concat } from '../tensor/ops/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after } from './sizes.ts';
import { Stem } from './stem.ts';
import { ConvUnit } from './units.ts';

/** Channels of the stem and after each block; where they double, all but the first time, the image is halved. */
const tinyChannels = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
const squeezed = 8;

/** A gate for each channel of each image: sigmoid(W2 relu(W1 mean(x) + b1) + b2), an eighth as many values between. */
class SqueezeAndExpand extends Module {
  readonly squeeze: Linear;
  readonly expand: Linear;

  constructor(channels: number, random: Random) {
    super();
    const hidden = Math.max(1, Math.floor(channels / squeezed));
    this.squeeze = new Linear(channels, hidden, random);
    this.expand = new Linear(hidden, channels, random);
  }

  override forward(x: Tensor): Tensor {
    return sigmoid(this.expand.forward(relu(this.squeeze.forward(globalAvgPool(x)))));
  }
}

/**
 * The Info-Recoupling module: y = PReLU(BN(conv(sign x))) times a gate that sees a mix s x + (1 - s) y, s learned per channel; BN; and the
 * shortcut x. In `attention` the shortcut is PReLU(x), and multiplies y before it is added.
 */
class Recoupled extends Module {
  readonly unit: ConvUnit;
  readonly norm: BatchNorm;
  readonly gate: SqueezeAndExpand;
  readonly mix: Parameter;
  readonly slope: PRelu | null;
  private readonly pool: Module | null;

  constructor(
    channels: number,
    { kernel, size, stride = 1, attention = false }: { kernel: 1 | 3; size: Size; stride?: 1 | 2; attention?: boolean },
    { method, quantization, random }: BuildContext,
  ) {
    super();
    const structure = { ...method.structure, order: 'conv-bn', activation: 'prelu' } as const;
    const options = { inChannels: channels, outChannels: channels, kernel, stride, pad: kernel >> 1, size };
    this.unit = new ConvUnit(options, structure, quantization, random);
    this.norm = new BatchNorm(channels);
    this.gate = new SqueezeAndExpand(channels, random);
    this.mix = new Parameter(new Float32Array(channels).fill(0.5), [channels], 'scale');
    this.slope = attention ? new PRelu(channels) : null;
    this.pool = stride > 1 ? halvingLayer() : null;
  }

  override forward(x: Tensor): Tensor {
    if (this.training) kernels().clamp(this.mix.data, 0, 1);
    const pooled = (value: Tensor) => (this.pool ? this.pool.forward(value) : value);
    const entering = pooled(x);
    const shortcut = this.slope ? pooled(this.slope.forward(x)) : entering;
    const y = this.unit.forward(x);
    const mixed = add(y, channelScale(add(entering, scale(y, -1)), this.mix));
    const gated = channelGate(y, this.gate.forward(mixed));
    return add(this.norm.forward(this.slope ? multiply(gated, shortcut) : gated), shortcut);
  }
}

/** A 3x3 and a 1x1 module; two 1x1 modules side by side where channels double. */
class BasicBlock extends Module {
  readonly spatial: Recoupled;
  readonly pointwise: Recoupled;
  readonly doubling: Recoupled | null;

  constructor(
    channels: number,
    { doubles, ...spatial }: { doubles: boolean; stride: 1 | 2; size: Size; attention: boolean },
    context: BuildContext,
  ) {
    super();
    this.spatial = new Recoupled(channels, { kernel: 3, ...spatial }, context);
    const pointwise = { kernel: 1, size: after(spatial.size, { kernel: 1, stride: spatial.stride }) } as const;
    this.pointwise = new Recoupled(channels, pointwise, context);
    this.doubling = doubles ? new Recoupled(channels, pointwise, context) : null;
  }

  override forward(x: Tensor): Tensor {
    const middle = this.spatial.forward(x);
    const y = this.pointwise.forward(middle);
    return this.doubling ? concat([y, this.doubling.forward(middle)]) : y;
  }
}

/**
 * BNext-Tiny: a binary MobileNet whose every convolution is recoupled with its input, every second block by an element-wise attention
 * (Guo et al. 2022, fig. 4-5, and the authors' code).
 */
export function bNextTiny(context: BuildContext): Backbone {
  const { config, random } = context;
  const first = scaledChannels(tinyChannels[0]!, config.width);
  const stem = { inChannels: config.inputShape[2], outChannels: first, kernel: 3, stride: 2, pad: 1 };
  let channels = first;
  const [height, width] = config.inputShape;
  let size = after([height, width], stem);
  const course = new Course();
  course.note(1, channels, size, 2);
  const blocks = tinyChannels.slice(1).map((published, place) => {
    // a doubling must stay one at every width
    const doubles = published !== tinyChannels[place];
    const stride = doubles && place > 0 ? 2 : 1;
    const block = new BasicBlock(channels, { doubles, stride, size, attention: place % 2 === 1 }, context);
    size = after(size, { kernel: 1, stride });
    if (doubles) channels *= 2;
    course.note(place + 2, channels, size, stride);
    return block;
  });
  return {
    places: course.places,
    endFirst: true,
    layers: () => [new Stem(stem, random), ...blocks],
    end: (outputs) => [new PRelu(channels), globalAvgPoolLayer(), new Linear(channels, outputs, random)],
  };
}
