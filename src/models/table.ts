import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { asFirst } from '../methods/earlier.ts';
import type { TrainingDefaults } from '../methods/method.ts';
import { methodNamed, methodOn } from '../methods/table.ts';
import { withTricks } from '../methods/tricks.ts';
import type { Module } from '../nn/module.ts';
import { bNextTiny } from './bnext.ts';
import { binaryDenseNet } from './densenet.ts';
import { meliusNet } from './meliusnet.ts';
import { mlp } from './mlp.ts';
import { type BuildContext, Network, type NetworkConfig } from './network.ts';
import { quickNet } from './quicknet.ts';
import { reactNetA } from './react-net.ts';
import { resnet } from './resnet.ts';
import { alexNet, cnv6, darkNet19, networkInNetwork, vgg11, vgg16, vggSmall } from './vgg.ts';

export interface ModelEntry {
  readonly id: string;
  readonly title: string;
  readonly build: (context: BuildContext) => Module;
  /** Input the model was published for, [H,W,C]. */
  readonly inputShape: readonly [number, number, number];
  /** Smallest side it can take. */
  readonly smallestSide: number;
  /** Its convolutions have shortcuts around them. */
  readonly residual?: boolean;
  /** Of methods with a normed head, it has one. */
  readonly normedHead?: boolean;
  /** Where its shortcuts change size they copy pixels. */
  readonly copiedShortcut?: boolean;
  /** The activation after its first layer is the method's. */
  readonly activeStem?: boolean;
  /** The weights of its first and last layer are as the method has them. */
  readonly methodEnds?: boolean;
}

const cifarResnet = (id: string, blocks: number): ModelEntry => ({
  id,
  title: `ResNet-${6 * blocks + 2} for CIFAR (He et al. 2016)`,
  build: resnet({ blocks: [blocks, blocks, blocks], channels: [16, 32, 64], stem: 'cifar', downsample: 'pad' }),
  inputShape: [32, 32, 3],
  smallestSide: 4,
  residual: true,
  normedHead: true,
  copiedShortcut: true,
  activeStem: true,
  methodEnds: true,
});

const wide = { channels: [64, 128, 256, 512], downsample: 'conv' } as const;
const resnet18 = { ...wide, blocks: [2, 2, 2, 2] } as const;
const quickNetBlocks = { blocks: [4, 4, 4, 4] } as const;
const resnet34 = { ...wide, blocks: [3, 4, 6, 3] } as const;

const forImageNet = (
  id: string,
  title: string,
  build: ModelEntry['build'],
  smallestSide: number,
  more: Pick<ModelEntry, 'residual' | 'methodEnds'> = {},
): ModelEntry => ({
  id,
  title,
  build,
  inputShape: [224, 224, 3],
  smallestSide,
  ...more,
});

/** ResNets. */
const withShortcuts = { residual: true, methodEnds: true } as const;
const plain = { methodEnds: true } as const;

/** Every model by its name, as `signum models` lists them. */
export const models: readonly ModelEntry[] = [
  { id: 'sfc', title: 'FINN SFC: MLP 256x3, all binary', build: mlp(256), inputShape: [28, 28, 1], smallestSide: 1 },
  { id: 'lfc', title: 'FINN LFC: MLP 1024x3, all binary', build: mlp(1024), inputShape: [28, 28, 1], smallestSide: 1 },
  {
    id: 'cnv6',
    title: 'FINN CNV: six convolutions, three dense layers',
    build: cnv6,
    inputShape: [32, 32, 3],
    smallestSide: 20,
    activeStem: true,
    methodEnds: true,
  },
  {
    id: 'vgg-small',
    title: 'VGG-Small',
    build: vggSmall,
    inputShape: [32, 32, 3],
    smallestSide: 8,
    activeStem: true,
    methodEnds: true,
  },
  cifarResnet('resnet20', 3),
  cifarResnet('resnet32', 5),
  cifarResnet('resnet44', 7),
  {
    id: 'resnet18',
    title: 'ResNet-18, CIFAR stem',
    build: resnet({ ...resnet18, stem: 'cifar' }),
    inputShape: [32, 32, 3],
    smallestSide: 8,
    residual: true,
    normedHead: true,
    activeStem: true,
    methodEnds: true,
  },
  {
    id: 'resnet34',
    title: 'ResNet-34, CIFAR stem',
    build: resnet({ ...resnet34, stem: 'cifar' }),
    inputShape: [32, 32, 3],
    smallestSide: 8,
    residual: true,
    normedHead: true,
    activeStem: true,
    methodEnds: true,
  },
  {
    id: 'vgg11',
    title: 'VGG-11 for 32x32 images',
    build: vgg11,
    inputShape: [32, 32, 3],
    smallestSide: 32,
    activeStem: true,
    methodEnds: true,
  },
  {
    id: 'nin',
    title: 'Network in Network for CIFAR',
    build: networkInNetwork,
    inputShape: [32, 32, 3],
    smallestSide: 8,
    activeStem: true,
    methodEnds: true,
  },
  forImageNet(
    'resnet18-imagenet',
    'ResNet-18, ImageNet stem',
    resnet({ ...resnet18, stem: 'imagenet' }),
    32,
    withShortcuts,
  ),
  forImageNet(
    'resnet34-imagenet',
    'ResNet-34, ImageNet stem',
    resnet({ ...resnet34, stem: 'imagenet' }),
    32,
    withShortcuts,
  ),
  forImageNet(
    'resnet50-imagenet',
    'ResNet-50, ImageNet stem',
    resnet({ ...resnet34, block: 'bottleneck', stem: 'imagenet' }),
    32,
    withShortcuts,
  ),
  forImageNet('alexnet', 'AlexNet, one tower', alexNet, 63, plain),
  forImageNet('vgg16', 'VGG-16', vgg16, 32, plain),
  forImageNet('darknet19', 'DarkNet-19 without its detection head', darkNet19, 32, plain),
  forImageNet(
    'binary-densenet28',
    'BinaryDenseNet-28',
    binaryDenseNet({ layers: [6, 6, 6, 5], reductions: [2.7, 2.7, 2.2] }),
    32,
  ),
  forImageNet('meliusnet22', 'MeliusNet-22', meliusNet({ blocks: [4, 5, 4, 4], transitions: [160, 224, 256] }), 32),
  forImageNet('bnext-tiny', 'BNext-Tiny', bNextTiny, 32),
  forImageNet('react-net-a', 'ReActNet-A, a binary MobileNet', reactNetA, 32, { residual: true }),
  forImageNet('quicknet-small', 'QuickNet Small', quickNet({ ...quickNetBlocks, channels: [32, 64, 256, 512] }), 64),
  forImageNet('quicknet', 'QuickNet', quickNet({ ...quickNetBlocks, channels: wide.channels }), 64),
  forImageNet('quicknet-large', 'QuickNet Large', quickNet({ blocks: [6, 8, 12, 6], channels: wide.channels }), 64),
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
 * @param defaults that a run has stored of its method, in place of the present ones
 * @throws UsageError for unknown names or an input the model cannot take
 */
export function buildNetwork(config: NetworkConfig, defaults?: TrainingDefaults): Network {
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
  const method = methodOn(config.model, config.method, config.revision);
  const { tricks, structure } = config;
  if (tricks?.shortcut && !model.residual)
    throw new UsageError(`--shortcut: ${config.model} has no shortcuts; take a ResNet`);
  if (tricks?.downsample && !model.copiedShortcut)
    throw new UsageError(`--downsample: ${config.model} has no shortcuts that copy pixels; take ResNet-20, 32 or 44`);
  if (tricks?.stem && !model.activeStem)
    throw new UsageError(`--stem: the first layer of ${config.model} is the network's own; take a network for CIFAR`);
  if (tricks?.firstLast && !model.methodEnds)
    throw new UsageError(
      `--first-last: the first and last layer of ${config.model} are the network's own; take a ResNet, a VGG, AlexNet, NIN, DarkNet or CNV-6`,
    );
  if (tricks?.head && !model.normedHead)
    throw new UsageError(`--head: ${config.model} has one head only; take a ResNet for CIFAR`);
  const changed = tricks ? withTricks(method, tricks) : method;
  const built = { ...changed, ...(structure ? { structure } : {}), ...(defaults ? { defaults } : {}) };
  return new Network(config, built, model.build);
}

/** The whole config of a network that was stored before revisions and structures were: its method in its first form. */
export function firstForm(config: NetworkConfig): NetworkConfig {
  const first = asFirst(methodNamed(config.method, 1));
  const { structure } = config.tricks ? withTricks(first, config.tricks) : first;
  return { ...config, revision: 1, structure };
}

/** The config of a network of another method in the same place. */
export const withMethod = (config: NetworkConfig, method: string): NetworkConfig =>
  method === config.method ? config : { ...config, method, revision: undefined, structure: undefined };
