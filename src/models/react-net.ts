import type { Size } from '../nn/binary-layer.ts';
import { globalAvgPoolLayer, halvingLayer, Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { concat } from '../tensor/ops/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after } from './sizes.ts';
import { Stem } from './stem.ts';
import { ConvUnit, type UnitOptions } from './units.ts';

/** MobileNet's channels after the stem; one block each. */
const firstChannels = 32;
const blockChannels = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
/** Blocks that halve the image, by place. */
const strided = [1, 3, 5, 11];

/**
 * A 3x3 and a 1x1 convolution with a shortcut around each. Where channels double, so does the shortcut: the two 1x1 convolutions of the paper,
 * side by side on the same signs, are one of twice the channels.
 */
class DoublingBlock extends Module {
  readonly spatial: ConvUnit;
  readonly pointwise: ConvUnit;
  private readonly pool: Module | null;
  private readonly doubles: boolean;

  constructor(
    inChannels: number,
    outChannels: number,
    stride: 1 | 2,
    size: Size,
    { method, quantization, random }: BuildContext,
  ) {
    super();
    const unit = (options: Omit<UnitOptions, 'inChannels'>) =>
      new ConvUnit({ inChannels, shortcut: true, ...options }, method.structure, quantization, random);
    this.spatial = unit({ outChannels: inChannels, kernel: 3, stride, pad: 1, size });
    this.pointwise = unit({ outChannels, kernel: 1, size: after(size, { kernel: 1, stride }) });
    this.pool = stride > 1 ? halvingLayer() : null;
    this.doubles = outChannels !== inChannels;
  }

  override forward(x: Tensor): Tensor {
    const middle = this.spatial.apply(x, this.pool ? this.pool.forward(x) : x);
    return this.pointwise.apply(middle, this.doubles ? concat([middle, middle]) : middle);
  }
}

/** ReActNet-A: MobileNet with binary 3x3 and 1x1 convolutions instead of depthwise and pointwise ones (Liu et al., ECCV 2020, fig. 4). */
export function reactNetA(context: BuildContext): Backbone {
  const { config, random } = context;
  const channels = scaledChannels(firstChannels, config.width);
  const stem = { inChannels: config.inputShape[2], outChannels: channels, kernel: 3, stride: 2, pad: 1 };
  const [height, width] = config.inputShape;
  let size = after([height, width], stem);
  let from = channels;
  const course = new Course();
  course.note(1, from, size, 2);
  const blocks = blockChannels.map((published, place) => {
    // a doubling must stay one at every width
    const to = place === 0 || published !== blockChannels[place - 1] ? 2 * from : from;
    const stride = strided.includes(place) ? 2 : 1;
    const block = new DoublingBlock(from, to, stride, size, context);
    size = after(size, { kernel: 1, stride });
    from = to;
    course.note(place + 2, from, size, stride);
    return block;
  });
  return {
    places: course.places,
    layers: () => [new Stem(stem, random), ...blocks],
    end: (outputs) => [globalAvgPoolLayer(), new Linear(from, outputs, random)],
  };
}
