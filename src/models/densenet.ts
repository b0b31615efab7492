import type { Random } from '../core/random.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { Conv2d, globalAvgPoolLayer, Linear, maxPoolLayer, reluLayer } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { concat } from '../tensor/ops/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after, pooledSize } from './sizes.ts';
import { Stem } from './stem.ts';
import { ConvUnit } from './units.ts';

export interface DenseNetOptions {
  /** Convolutions of each stage. */
  readonly layers: readonly number[];
  /** Channels are divided by this between two stages. */
  readonly reductions: readonly number[];
}

const growth = 64;
const firstChannels = 64;

/** BN, sign and a 3x3 convolution to `outChannels`, added to nothing. */
export function denseUnit(inChannels: number, outChannels: number, size: Size, context: BuildContext): ConvUnit {
  const structure = { ...context.method.structure, order: 'bn-conv', activation: 'none' } as const;
  const options = { inChannels, outChannels, kernel: 3, pad: 1, size };
  return new ConvUnit(options, structure, context.quantization, context.random);
}

/** Adds channels: a binary convolution of all that came before, concatenated to it. */
export class DenseLayer extends Module {
  readonly unit: ConvUnit;

  constructor(inChannels: number, outChannels: number, size: Size, context: BuildContext) {
    super();
    this.unit = denseUnit(inChannels, outChannels, size, context);
  }

  override forward(x: Tensor): Tensor {
    return concat([x, this.unit.forward(x)]);
  }
}

/** Between two stages: BN, max-pooling, ReLU and a float 1x1 convolution to fewer channels. */
export const transition = (inChannels: number, outChannels: number, random: Random): Module[] => [
  new BatchNorm(inChannels),
  maxPoolLayer({ window: 2 }),
  reluLayer(),
  new Conv2d({ inChannels, outChannels, kernel: 1 }, random),
];

/** After the last stage nothing has normalised what was put together. */
export const normedEnd = (channels: number, outputs: number, random: Random): Module[] => [
  new BatchNorm(channels),
  reluLayer(),
  globalAvgPoolLayer(),
  new Linear(channels, outputs, random),
];

/**
 * BinaryDenseNet: dense connections instead of bottlenecks, blocks of BN, sign and 3x3 conv, float 1x1 convolutions between the stages
 * (Bethge et al. 2019, sec. 4).
 */
export function binaryDenseNet({ layers, reductions }: DenseNetOptions): (context: BuildContext) => Backbone {
  return (context) => {
    const { config, random } = context;
    const scaled = (channels: number) => scaledChannels(channels, config.width);
    const stem = {
      inChannels: config.inputShape[2],
      outChannels: scaled(firstChannels),
      kernel: 7,
      stride: 2,
      pad: 3,
      pool: { window: 3, stride: 2, pad: 1 },
      clamp: [0, Number.POSITIVE_INFINITY],
    } as const;
    const body: Module[] = [new Stem(stem, random)];
    let channels = stem.outChannels;
    const [height, width] = config.inputShape;
    let size = pooledSize(after([height, width], stem), stem.pool);
    const course = new Course();
    course.note(1, channels, size, 4);
    for (const [stage, count] of layers.entries()) {
      for (let i = 0; i < count; i++) {
        body.push(new DenseLayer(channels, scaled(growth), size, context));
        channels += scaled(growth);
        course.note(body.length, channels, size);
      }
      const reduction = reductions[stage];
      if (reduction === undefined) continue;
      // whole words of 32 channels, as the authors' code rounds
      const reduced = Math.max(1, Math.round(channels / reduction / 32) * 32);
      body.push(...transition(channels, reduced, random));
      size = pooledSize(size, { window: 2 });
      channels = reduced;
      course.note(body.length, channels, size, 2);
    }
    return { places: course.places, layers: () => body, end: (outputs) => normedEnd(channels, outputs, random) };
  };
}
