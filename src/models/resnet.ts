import type { Structure } from '../methods/method.ts';
import { BatchNorm, batchNormsOf } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { Conv2d, globalAvgPoolLayer, halvingLayer, subsampleLayer } from '../nn/layers.ts';
import { Module, Sequential } from '../nn/module.ts';
import { UnitConv2d } from '../nn/norm-free.ts';
import { relu } from '../tensor/ops/activation.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { branched, branchOptions, type MakeBranch } from './branches.ts';
import { hasBinaryEnds, lastLayer } from './ends.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after } from './sizes.ts';
import { Stem, stemActivation, stemWeights } from './stem.ts';
import { ConvUnit, type UnitOptions } from './units.ts';

export interface ResnetOptions {
  /** Residual blocks of two convolutions per stage. */
  readonly blocks: readonly number[];
  readonly channels: readonly number[];
  /** `cifar`: 3x3 stem; `imagenet`: 7x7 stride 2 and max-pool. */
  readonly stem: 'cifar' | 'imagenet';
  /** How the shortcut changes size: strided copy padded with zero channels (CIFAR, option A), or average-pool, 1x1 float conv, BN. */
  readonly downsample: 'pad' | 'conv';
  /** `basic`: two 3x3 convolutions; `bottleneck`: 1x1, 3x3, 1x1 with four times the channels at the end. Default basic. */
  readonly block?: 'basic' | 'bottleneck';
}

/** How many times a bottleneck widens its channels. */
const expansion = 4;

/** Makes the shortcut fit: nothing to do, a strided copy or averages with zero channels, or average-pool, 1x1 float conv and BN. */
function shortcutOf(
  inChannels: number,
  outChannels: number,
  stride: 1 | 2,
  downsample: 'pad' | 'conv',
  { method, random }: BuildContext,
): Module | null {
  if (stride === 1 && inChannels === outChannels) return null;
  if (downsample === 'pad') {
    if (stride === 1 || method.structure.downsample !== 'average') return subsampleLayer(stride, outChannels);
    return new Sequential([halvingLayer(), subsampleLayer(1, outChannels)]);
  }
  const halving = stride > 1 ? [halvingLayer()] : [];
  if (method.structure.normFree)
    return new Sequential([...halving, new UnitConv2d({ inChannels, outChannels, kernel: 1 }, random)]);
  return new Sequential([
    ...halving,
    new Conv2d({ inChannels, outChannels, kernel: 1 }, random),
    new BatchNorm(outChannels),
  ]);
}

/** Which block of its stage one is, from 0, how many the stage before has, and the size of the maps that it gets. */
interface BlockPlace {
  readonly block: number;
  readonly before: number;
  readonly size: Size;
}

/**
 * One over the spread that a convolution's input is expected to have without batch-norm: each sum adds branch^2 to a variance of 1, but the first of a
 * stage; the first convolution of a stage still sees the sums of the stage before (Ma 2024, the authors' code).
 */
function inputScale(
  { normFree }: Structure,
  { block, before }: Pick<BlockPlace, 'block' | 'before'>,
  nth: number,
): { inputScale?: number } {
  if (!normFree) return {};
  const conv = 2 * block + nth;
  const sums = Math.max(0, conv > 0 ? conv - 1 : 2 * before - 1);
  return { inputScale: 1 / Math.sqrt(1 + sums * normFree.branch ** 2) };
}

/** Size of maps after a convolution of this stride that keeps it otherwise. */
const halvedSize = (size: Size, stride: 1 | 2): Size => after(size, { kernel: 1, stride });

/** Two convolutions with shortcuts around each, around both or none, as the method's structure says. */
class ResidualBlock extends Module {
  readonly first: ConvUnit;
  readonly second: ConvUnit;
  readonly shortcut: Module | null;
  private readonly around: Structure['shortcut'];

  constructor(
    inChannels: number,
    outChannels: number,
    stride: 1 | 2,
    downsample: 'pad' | 'conv',
    window: ReturnType<typeof branchOptions>,
    context: BuildContext,
    place: BlockPlace,
  ) {
    super();
    const { method, quantization, random } = context;
    const unit = (from: number, unitStride: number, shortcut: boolean, nth: number) =>
      new ConvUnit(
        {
          inChannels: from,
          outChannels,
          ...window,
          stride: unitStride,
          size: nth === 0 ? place.size : halvedSize(place.size, stride),
          shortcut,
          ...inputScale(method.structure, place, nth),
        },
        method.structure,
        quantization,
        random,
      );
    this.around = method.structure.shortcut;
    this.first = unit(inChannels, stride, this.around === 'every-conv', 0);
    this.second = unit(outChannels, 1, this.around !== 'none', 1);
    this.shortcut = this.around === 'none' ? null : shortcutOf(inChannels, outChannels, stride, downsample, context);
  }

  override forward(x: Tensor): Tensor {
    if (this.around === 'none') return this.second.forward(this.first.forward(x));
    const shortcut = this.shortcut ? this.shortcut.forward(x) : x;
    const middle = this.first.apply(x, this.around === 'every-conv' ? shortcut : undefined);
    return this.second.apply(middle, this.around === 'every-conv' ? middle : shortcut);
  }
}

/**
 * 1x1, 3x3 (strided) and 1x1 convolutions around one shortcut (He et al. 2016, fig. 5); only the 3x3 one keeps its size in a binary network
 * with a shortcut around every conv, and gets its own (Bi-Real-50).
 */
class Bottleneck extends Module {
  readonly reduce: ConvUnit;
  readonly middle: ConvUnit;
  readonly expand: ConvUnit;
  readonly shortcut: Module | null;
  private readonly plain: boolean;
  private readonly innerShortcut: boolean;

  constructor(
    inChannels: number,
    channels: number,
    stride: 1 | 2,
    downsample: 'pad' | 'conv',
    window: ReturnType<typeof branchOptions>,
    context: BuildContext,
    { size }: BlockPlace,
  ) {
    super();
    const { method, quantization, random } = context;
    const unit = (options: UnitOptions) => new ConvUnit(options, method.structure, quantization, random);
    const outChannels = channels * expansion;
    this.plain = method.structure.shortcut === 'none';
    this.innerShortcut = method.structure.shortcut === 'every-conv' && stride === 1;
    this.reduce = unit({ inChannels, outChannels: channels, kernel: 1, size });
    this.middle = unit({
      inChannels: channels,
      outChannels: channels,
      ...window,
      stride,
      size,
      shortcut: this.innerShortcut,
    });
    const expanded = { inChannels: channels, outChannels, kernel: 1, size: halvedSize(size, stride) };
    this.expand = unit({ ...expanded, shortcut: !this.plain });
    this.shortcut = this.plain ? null : shortcutOf(inChannels, outChannels, stride, downsample, context);
  }

  override forward(x: Tensor): Tensor {
    const reduced = this.reduce.forward(x);
    const middle = this.middle.apply(reduced, this.innerShortcut ? reduced : undefined);
    if (this.plain) return this.expand.forward(middle);
    return this.expand.apply(middle, this.shortcut ? this.shortcut.forward(x) : x);
  }
}

/** In `bn-conv` order the last sum is not normalised: BN and ReLU before the classifier, as pre-activation ResNets do. */
class FinalNorm extends Module {
  readonly norm: BatchNorm;

  constructor(channels: number) {
    super();
    this.norm = new BatchNorm(channels);
  }

  override forward(x: Tensor): Tensor {
    return relu(this.norm.forward(x));
  }
}

/** ResNet for CIFAR (He et al. 2016, sec. 4.2) or ImageNet (sec. 4.1), its 3x3 convolutions binarized by the method. */
export function resnet(options: ResnetOptions): (context: BuildContext) => Backbone {
  return (context) => {
    const { config, method, random } = context;
    const channels = options.channels.map((c) => scaledChannels(c, config.width));
    const [first] = channels as [number];
    const [height, width, inChannels] = config.inputShape;
    const input: Size = [height, width];
    let size: Size =
      options.stem === 'cifar'
        ? input
        : after(after(input, { kernel: 7, stride: 2, pad: 3 }), { kernel: 3, stride: 2, pad: 1 });
    const stem =
      options.stem === 'cifar'
        ? new Stem(
            {
              inChannels,
              outChannels: first,
              kernel: 3,
              pad: 1,
              size: input,
              ...stemClamp(method.structure.activation),
              ...stemActivation(method.structure),
              ...stemWeights(context),
            },
            random,
          )
        : new Stem(
            {
              inChannels,
              outChannels: first,
              kernel: 7,
              stride: 2,
              pad: 3,
              size: input,
              pool: { window: 3, stride: 2, pad: 1 },
              ...(method.structure.normFree ? stemActivation(method.structure) : {}),
              ...stemWeights(context),
            },
            random,
          );
    const blocks: MakeBranch[] = [];
    const course = new Course();
    course.note(1, first, size, options.stem === 'cifar' ? 1 : 4);
    let from = first;
    for (const [stage, count] of options.blocks.entries())
      for (let i = 0; i < count; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const bottleneck = options.block === 'bottleneck';
        const Block = bottleneck ? Bottleneck : ResidualBlock;
        const inputs = from;
        const entering = size;
        size = halvedSize(size, stride);
        blocks.push((branch) => {
          const window = branchOptions(method.structure, stage + 1, branch);
          const place = { block: i, before: options.blocks[stage - 1] ?? 0, size: entering };
          return new Block(inputs, channels[stage]!, stride, options.downsample, window, context, place);
        });
        from = channels[stage]! * (bottleneck ? expansion : 1);
        course.note(1 + blocks.length, from, size, stride);
      }
    const { order } = method.structure;
    // of what a ReLU lets through the signs of a binary classifier would all be +1
    const signed = hasBinaryEnds(method.structure) && order === 'bn-conv';
    const normed = signed || (options.stem === 'cifar' && method.structure.head === 'norm');
    const { places } = course;
    return {
      places,
      endFirst: true,
      end: (outputs) => [
        ...(order === 'bn-conv' && !signed ? [new FinalNorm(from)] : []),
        globalAvgPoolLayer(),
        ...(normed ? [new BatchNorm(from)] : []),
        ...lastLayer(from, outputs, context),
      ],
      layers: () => {
        const body = [stem, ...branched(method.structure, blocks)];
        const { firstGamma } = method.structure;
        if (firstGamma !== undefined) for (const { gamma } of body.flatMap(batchNormsOf)) gamma.data.fill(firstGamma);
        return body;
      },
    };
  };
}

function stemClamp(activation: string): { clamp?: readonly [number, number] } {
  if (activation === 'hardtanh') return { clamp: [-1, 1] };
  return activation === 'relu' ? { clamp: [0, Number.POSITIVE_INFINITY] } : {};
}
