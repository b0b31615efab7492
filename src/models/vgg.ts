import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { globalAvgPoolLayer, Lambda } from '../nn/layers.ts';
import type { PoolOptions } from '../tensor/ops/pooling.ts';
import { flatten } from '../tensor/ops/shape.ts';
import { type Backbone, Course } from './backbone.ts';
import { branched, type MakeBranch } from './branches.ts';
import { lastLayer } from './ends.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after, pooledSize } from './sizes.ts';
import { Stem, stemActivation, stemWeights } from './stem.ts';
import { ConvUnit, DenseUnit } from './units.ts';

/** One convolution of a plain stack. */
interface Layer {
  readonly channels: number;
  /** Default 3, padded to keep the size. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly pad?: number;
  /** Max-pooling right after it. */
  readonly pool?: PoolOptions;
}

export interface StackOptions {
  /** The first one is float, unless the method has it binary. */
  readonly layers: readonly Layer[];
  /** Sizes of hidden dense layers, binary like the convolutions. */
  readonly hidden?: readonly number[];
  /** `flatten` all positions, or `average` them, before the classifier. */
  readonly head: 'flatten' | 'average';
}

/** Convolutions one after the other, pooled in between, then dense layers: AlexNet, the VGGs, NIN, DarkNet. */
export function stack({ layers, hidden = [], head }: StackOptions): (context: BuildContext) => Backbone {
  return (context) => {
    const { config, method, quantization, random } = context;
    const [height, width, inChannels] = config.inputShape;
    const { structure } = method;
    const course = new Course();
    let from = inChannels;
    let size: Size = [height, width];
    const convolutions = layers.map(({ channels, kernel = 3, stride = 1, pad = kernel >> 1, pool }, i) => {
      const outChannels = scaledChannels(channels, config.width);
      const options = { inChannels: from, outChannels, kernel, stride, pad, size, ...(pool ? { pool } : {}) };
      from = outChannels;
      size = pooledSize(after(size, options), pool);
      course.note(i + 1, outChannels, size, stride * (pool?.stride ?? pool?.window ?? 1));
      if (i > 0) return () => new ConvUnit(options, structure, quantization, random);
      const activation = { clamp: [-1, 1], ...stemActivation(structure) } as const;
      return () => new Stem({ ...options, ...activation, ...stemWeights(context) }, random);
    });
    const [stem, ...units] = convolutions;
    let features = head === 'flatten' ? size[0] * size[1] * from : from;
    const dense = hidden.map((size): MakeBranch => {
      const [inputs, outputs] = [features, scaledChannels(size, config.width)];
      features = outputs;
      return () => new DenseUnit(inputs, outputs, false, structure, quantization, random);
    });
    return {
      places: course.places,
      layers: () => [stem!(), ...branched(structure, units)],
      end: (outputs) => [
        head === 'flatten' ? new Lambda(flatten) : globalAvgPoolLayer(),
        ...branched(structure, dense),
        // in `bn-conv` order nothing has normalised the last products yet
        ...(structure.order === 'bn-conv' ? [new BatchNorm(features)] : []),
        ...lastLayer(features, outputs, context),
      ],
    };
  };
}

const halved = { window: 2 } as const;
const overlapped = { window: 3, stride: 2 } as const;
const repeated = (channels: number, count: number): Layer[] => [
  ...Array.from({ length: count - 1 }, () => ({ channels })),
  { channels, pool: halved },
];

/**
 * VGG-Small: 2x128C3 - pool - 2x256C3 - pool - 2x512C3 - pool - FC; first conv and last dense layer in float
 * (Zhang et al., ECCV 2018 (LQ-Nets); survey Table 3).
 */
export const vggSmall = stack({
  layers: [...repeated(128, 2), ...repeated(256, 2), ...repeated(512, 2)],
  head: 'flatten',
});

/** VGG-11 (configuration A) for 32x32 images: its eight convolutions and one classifier (Simonyan and Zisserman 2015, table 1). */
export const vgg11 = stack({
  layers: [...repeated(64, 1), ...repeated(128, 1), ...repeated(256, 2), ...repeated(512, 2), ...repeated(512, 2)],
  head: 'flatten',
});

/** VGG-16 (configuration D): thirteen convolutions and two hidden dense layers of 4096 (Simonyan and Zisserman 2015, table 1). */
export const vgg16 = stack({
  layers: [...repeated(64, 2), ...repeated(128, 2), ...repeated(256, 3), ...repeated(512, 3), ...repeated(512, 3)],
  hidden: [4096, 4096],
  head: 'flatten',
});

/** AlexNet on one tower (Krizhevsky et al. 2012, without groups), as the XNOR-Net paper and its successors use it. */
export const alexNet = stack({
  layers: [
    { channels: 96, kernel: 11, stride: 4, pad: 2, pool: overlapped },
    { channels: 256, kernel: 5, pool: overlapped },
    { channels: 384 },
    { channels: 384 },
    { channels: 256, pool: overlapped },
  ],
  hidden: [4096, 4096],
  head: 'flatten',
});

/** Network in Network for CIFAR (Lin et al. 2014); its last 1x1 convolution and the average commute: here the average comes first. */
export const networkInNetwork = stack({
  layers: [
    { channels: 192, kernel: 5 },
    { channels: 160, kernel: 1 },
    { channels: 96, kernel: 1, pool: { ...overlapped, pad: 1 } },
    { channels: 192, kernel: 5 },
    { channels: 192, kernel: 1 },
    { channels: 192, kernel: 1, pool: { ...overlapped, pad: 1 } },
    { channels: 192 },
    { channels: 192, kernel: 1 },
  ],
  head: 'average',
});

const squeezed = (channels: number, count: number): Layer[] =>
  Array.from({ length: count }, (_, i) => (i % 2 === 0 ? { channels } : { channels: channels / 2, kernel: 1 }));

/** DarkNet-19 without its detection head (Redmon and Farhadi 2017, table 6): 18 convolutions, average, classifier. */
export const darkNet19 = stack({
  layers: [
    { channels: 32, pool: halved },
    { channels: 64, pool: halved },
    ...squeezed(128, 2),
    { channels: 128, pool: halved },
    ...squeezed(256, 2),
    { channels: 256, pool: halved },
    ...squeezed(512, 4),
    { channels: 512, pool: halved },
    ...squeezed(1024, 5),
  ],
  head: 'average',
});

/**
 * FINN's CNV: 64C3-64C3-P2-128C3-128C3-P2-256C3-256C3-512-512-classes without padding; images are padded to 32 pixels by the
 * first layer, whose weights are float unless the method has them binary; all others are binary (Umuroglu et al., FPGA 2017, sec. 5.1).
 */
export function cnv6(context: BuildContext): Backbone {
  const { config, method, quantization, random } = context;
  const [height, width, inChannels] = config.inputShape;
  const channels = (c: number) => scaledChannels(c, config.width);
  const pad = Math.max(0, Math.ceil((32 - Math.min(height, width)) / 2));
  const frame = Math.max(0, pad - 2);
  let size: Size;
  const unit = (from: number, to: number, pool?: PoolOptions) => {
    const sizes = { inChannels: channels(from), outChannels: channels(to), kernel: 3, size };
    size = pooledSize(after(size, sizes), pool);
    return () => new ConvUnit({ ...sizes, ...(pool ? { pool } : {}) }, method.structure, quantization, random);
  };
  const dense =
    (from: number, to: number, last = false) =>
    () =>
      new DenseUnit(from, to, last, method.structure, quantization, random);
  const framed: Size = [height + 2 * frame, width + 2 * frame];
  const stem = { inChannels, outChannels: channels(64), kernel: 3, pad: pad - frame, size: framed };
  size = after(framed, stem);
  const units = [unit(64, 64, halved), unit(64, 128), unit(128, 128, halved), unit(128, 256), unit(256, 256)];
  const activation = { clamp: [-1, 1], ...stemActivation(method.structure) } as const;
  return {
    // without padding they lie on no grid of the image
    places: [],
    layers: () => [
      new Stem({ ...stem, frame, ...activation, ...stemWeights(context) }, random),
      ...branched(method.structure, units),
    ],
    end: (outputs) => [
      new Lambda(flatten),
      ...branched(method.structure, [
        dense(size[0] * size[1] * channels(256), channels(512)),
        dense(channels(512), channels(512)),
        dense(channels(512), outputs, true),
      ]),
    ],
  };
}
