import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { methodNamed } from '../methods/table.ts';
import type { Module } from '../nn/module.ts';
import { mlp } from './mlp.ts';
import { type BuildContext, Network, type NetworkConfig } from './network.ts';
import { resnet } from './resnet.ts';
import { cnv6, vggSmall } from './vgg.ts';

export interface ModelEntry {
  readonly id: string;
  readonly title: string;
  readonly build: (context: BuildContext) => Module;
  /** Input the model was published for, [H,W,C]. */
  readonly inputShape: readonly [number, number, number];
  /** Smallest side it can take. */
  readonly smallestSide: number;
}

const cifarResnet = (id: string, blocks: number): ModelEntry => ({
  id,
  title: `ResNet-${6 * blocks + 2} for CIFAR (He et al. 2016)`,
  build: resnet({ blocks: [blocks, blocks, blocks], channels: [16, 32, 64], stem: 'cifar', downsample: 'pad' }),
  inputShape: [32, 32, 3],
  smallestSide: 4,
});

const resnet18 = { blocks: [2, 2, 2, 2], channels: [64, 128, 256, 512], downsample: 'conv' } as const;

export const models: readonly ModelEntry[] = [
  { id: 'sfc', title: 'FINN SFC: MLP 256x3, all binary', build: mlp(256), inputShape: [28, 28, 1], smallestSide: 1 },
  { id: 'lfc', title: 'FINN LFC: MLP 1024x3, all binary', build: mlp(1024), inputShape: [28, 28, 1], smallestSide: 1 },
  {
    id: 'cnv6',
    title: 'FINN CNV: six convolutions, three dense layers',
    build: cnv6,
    inputShape: [32, 32, 3],
    smallestSide: 20,
  },
  { id: 'vgg-small', title: 'VGG-Small', build: vggSmall, inputShape: [32, 32, 3], smallestSide: 8 },
  cifarResnet('resnet20', 3),
  cifarResnet('resnet32', 5),
  cifarResnet('resnet44', 7),
  {
    id: 'resnet18',
    title: 'ResNet-18, CIFAR stem',
    build: resnet({ ...resnet18, stem: 'cifar' }),
    inputShape: [32, 32, 3],
    smallestSide: 8,
  },
  {
    id: 'resnet18-imagenet',
    title: 'ResNet-18, ImageNet stem',
    build: resnet({ ...resnet18, stem: 'imagenet' }),
    inputShape: [224, 224, 3],
    smallestSide: 32,
  },
];

/** @throws UsageError naming the nearest known model */
export function modelNamed(id: string): ModelEntry {
  const model = models.find((candidate) => candidate.id === id);
  if (model) return model;
  throw new UsageError(
    `unknown model "${id}"${suggestion(
      id,
      models.map((m) => m.id),
    )}; \`signum models\` lists all`,
  );
}

/**
 * Builds an untrained network.
 *
 * @throws UsageError for unknown names or an input the model cannot take
 */
export function buildNetwork(config: NetworkConfig): Network {
  const model = modelNamed(config.model);
  const [height, width, channels] = config.inputShape;
  if (Math.min(height, width) < model.smallestSide) {
    throw new UsageError(
      `${config.model} needs images of at least ${model.smallestSide} pixels a side, got ${height}x${width}`,
    );
  }
  if (channels < 1 || config.classes < 2) {
    throw new UsageError(
      `a classifier needs at least one input channel and two classes, got ${channels} and ${config.classes}`,
    );
  }
  return new Network(config, methodNamed(config.method), model.build);
}
