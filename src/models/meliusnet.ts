import { BatchNorm } from '../nn/batch-norm.ts';
import type { Size } from '../nn/binary-layer.ts';
import { Conv2d, maxPoolLayer, reluLayer } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { concat, sliceChannels } from '../tensor/ops/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backbone, Course } from './backbone.ts';
import { DenseLayer, denseUnit, normedEnd, transition } from './densenet.ts';
import { type BuildContext, scaledChannels } from './network.ts';
import { after, pooledSize } from './sizes.ts';
import type { ConvUnit } from './units.ts';

export interface MeliusNetOptions {
  /** Pairs of a dense and an improvement block in each stage. */
  readonly blocks: readonly number[];
  /** Channels after each transition. */
  readonly transitions: readonly number[];
}

const growth = 64;

/** Betters the newest channels: a binary convolution of all is added to the last ones alone. */
class ImprovementLayer extends Module {
  readonly unit: ConvUnit;
  private readonly untouched: number;

  constructor(channels: number, improved: number, size: Size, context: BuildContext) {
    super();
    this.unit = denseUnit(channels, improved, size, context);
    this.untouched = channels - improved;
  }

  override forward(x: Tensor): Tensor {
    const y = this.unit.forward(x);
    const better = add(sliceChannels(x, this.untouched, x.channels), y);
    return concat([sliceChannels(x, 0, this.untouched), better]);
  }
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** Three 3x3 convolutions instead of a 7x7, two of them grouped: a third of its multiply-accumulates. */
function groupedStem({ config, random }: BuildContext): { layers: Module[]; channels: number } {
  const [half, channels] = [32, 64].map((published) => scaledChannels(published, config.width)) as [number, number];
  const conv = (inChannels: number, outChannels: number, groups: number, stride = 1) => [
    new Conv2d(
      { inChannels, outChannels, kernel: 3, pad: 1, stride, groups: divisor(divisor(inChannels, outChannels), groups) },
      random,
    ),
    new BatchNorm(outChannels),
    reluLayer(),
  ];
  const layers = [
    ...conv(config.inputShape[2], half, 1, 2),
    ...conv(half, half, 4),
    ...conv(half, channels, 8),
    maxPoolLayer({ window: 3, stride: 2, pad: 1 }),
  ];
  return { layers, channels };
}

/**
 * MeliusNet: blocks that add 64 channels alternate with blocks that improve them; float are a grouped stem and the 1x1 convolutions between
 * the stages (Bethge et al., WACV 2021, fig. 2 and table 1).
 */
export function meliusNet({ blocks, transitions }: MeliusNetOptions): (context: BuildContext) => Backbone {
  return (context) => {
    const { config, random } = context;
    const { layers: body, channels: first } = groupedStem(context);
    const added = scaledChannels(growth, config.width);
    let channels = first;
    const [height, width] = config.inputShape;
    const halving = { kernel: 3, stride: 2, pad: 1 };
    let size = after(after([height, width], halving), halving);
    const course = new Course();
    course.note(body.length, channels, size, 4);
    for (const [stage, count] of blocks.entries()) {
      for (let i = 0; i < count; i++) {
        body.push(new DenseLayer(channels, added, size, context));
        channels += added;
        body.push(new ImprovementLayer(channels, added, size, context));
        course.note(body.length, channels, size);
      }
      const published = transitions[stage];
      if (published === undefined) continue;
      const reduced = scaledChannels(published, config.width);
      body.push(...transition(channels, reduced, random));
      size = pooledSize(size, { window: 2 });
      channels = reduced;
      course.note(body.length, channels, size, 2);
    }
    return { places: course.places, layers: () => body, end: (outputs) => normedEnd(channels, outputs, random) };
  };
}
