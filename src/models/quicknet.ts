import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { Conv2d, globalAvgPoolLayer, Lambda, Linear, maxPoolLayer, reluLayer } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { relu } from '../tensor/ops/activation.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after, pooledSize } from './sizes.ts';
import { Stem } from './stem.ts';

export interface QuickNetOptions {
  /** Binary convolutions of each section. */
  readonly blocks: readonly number[];
  readonly channels: readonly number[];
}

/** x + BN(relu(conv3x3(sign x))), padded with +1: a border costs nothing. */
class ResidualConv extends Module {
  readonly conv: BinaryConv2d;
  readonly norm: BatchNorm;

  constructor(channels: number, size: Size, { quantization, random }: BuildContext) {
    super();
    const options = { inChannels: channels, outChannels: channels, kernel: 3, pad: 1, padding: 'one', size } as const;
    this.conv = new BinaryConv2d(options, quantization, random);
    this.norm = new BatchNorm(channels);
  }

  override forward(x: Tensor): Tensor {
    return this.norm.apply(relu(this.conv.forward(x)), { residual: x });
  }
}

/** Every second pixel of the image smoothed by the fixed filter [1,2,1] x [1,2,1] / 16 (Zhang 2019, BlurPool). */
function blurPoolLayer(channels: number): Module {
  const line = [1, 2, 1];
  const taps = line.flatMap((a) => line.map((b) => (a * b) / 16));
  const filter = new Tensor(
    Float32Array.from({ length: 9 * channels }, (_, i) => taps[Math.floor(i / channels)]!),
    [3, 3, 1, channels],
  );
  return new Lambda((x) => conv2d(x, filter, { stride: 2, pad: 1, groups: channels }));
}

const transition = (inChannels: number, outChannels: number, { random }: BuildContext): Module[] => [
  reluLayer(),
  maxPoolLayer({ window: 2, stride: 1 }),
  blurPoolLayer(inChannels),
  new Conv2d({ inChannels, outChannels, kernel: 1 }, random),
  new BatchNorm(outChannels),
];

/**
 * QuickNet: residual binary convolutions with ReLU before batch-norm, sections joined by max-pooling, blur and a float 1x1 convolution, and a
 * cheap stem (Bannink et al. 2021, sec. 4). The arrangement is the network's own: of a method it takes the quantizers.
 */
export function quickNet({ blocks, channels }: QuickNetOptions): (context: BuildContext) => Backbone {
  return (context) => {
    const { config, random } = context;
    const [first, ...others] = channels.map((count) => scaledChannels(count, config.width)) as [number, ...number[]];
    const narrow = Math.max(1, Math.round(first / 4));
    const stem = { inChannels: config.inputShape[2], outChannels: narrow, kernel: 3, stride: 2, pad: 1 };
    const body: Module[] = [
      new Stem({ ...stem, clamp: [0, Number.POSITIVE_INFINITY] }, random),
      new Conv2d({ ...stem, inChannels: narrow, groups: narrow }, random),
      new BatchNorm(narrow, { affine: false }),
      new Conv2d({ inChannels: narrow, outChannels: first, kernel: 1 }, random),
      new BatchNorm(first),
    ];
    let from = first;
    const [height, width] = config.inputShape;
    let size = after(after([height, width], stem), stem);
    const course = new Course();
    course.note(body.length, from, size, 4);
    for (const [section, count] of blocks.entries()) {
      if (section > 0) {
        const next = others[section - 1]!;
        body.push(...transition(from, next, context));
        from = next;
        size = after(pooledSize(size, { window: 2, stride: 1 }), { kernel: 3, stride: 2, pad: 1 });
        course.note(body.length, from, size, 2);
      }
      for (let i = 0; i < count; i++) {
        body.push(new ResidualConv(from, size, context));
        course.note(body.length, from, size);
      }
    }
    return {
      places: course.places,
      layers: () => body,
      end: (outputs) => [reluLayer(), globalAvgPoolLayer(), new Linear(from, outputs, random)],
    };
  };
}
