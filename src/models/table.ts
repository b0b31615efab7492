import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { asFirst } from '../methods/earlier.ts';
import type { Method, TrainingDefaults } from '../methods/method.ts';
import { methodNamed, methodOn, methods } from '../methods/table.ts';
import { withTricks } from '../methods/tricks.ts';
import { bNextTiny } from './bnext.ts';
import { type NetworkOptions, networkOf } from './build.ts';
import { binaryDenseNet } from './densenet.ts';
import type { Head, StoredHead } from './heads/head.ts';
import { meliusNet } from './meliusnet.ts';
import { mlp } from './mlp.ts';
import type { ModelEntry } from './model.ts';
import type { Network, NetworkConfig } from './network.ts';
import { quickNet } from './quicknet.ts';
import { reactNetA } from './react-net.ts';
import { resnet } from './resnet.ts';
import { alexNet, cnv6, darkNet19, networkInNetwork, vgg11, vgg16, vggSmall } from './vgg.ts';

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

/** @param own looked at first @throws UsageError naming the nearest known model */
export function modelNamed(id: string, own: readonly ModelEntry[] = []): ModelEntry {
  const model = [...own, ...models].find((candidate) => candidate.id === id);
  if (model) return model;
  throw new UsageError(
    `unknown model "${id}"${suggestion(
      id,
      [...own, ...models].map((m) => m.id),
    )}; \`signum models\` lists all; one of your own comes with --plugin <its file>`,
  );
}

/** Methods and models of one's own, where names are looked up before Signum's tables. */
export interface Own {
  readonly methods?: readonly Method[] | undefined;
  readonly models?: readonly ModelEntry[] | undefined;
}

/** The same, and the heads of the task at hand, beside the classifier. */
export interface OwnParts extends Own {
  readonly heads?: readonly Head[] | undefined;
}

/** The head that a network was built with. @throws UsageError when it is not at hand */
function headOf(stored: StoredHead | undefined, own: OwnParts): Head | undefined {
  if (!stored) return undefined;
  const head = own.heads?.find(({ id }) => id === stored.id);
  if (head) return head;
  throw new UsageError(
    `the network ends with the head "${stored.id}", which is not at hand; give its task, by its name or as a value`,
  );
}

/** @throws UsageError for something of one's own under a name that Signum has, or that stands there twice */
export function requireOwn({ methods: ownMethods = [], models: ownModels = [] }: Own): void {
  const taken = (kind: string, ids: readonly string[], known: readonly { readonly id: string }[]) => {
    const twice = ids.find((id, i) => known.some((other) => other.id === id) || ids.indexOf(id) !== i);
    if (twice !== undefined)
      throw new UsageError(
        `${kind} "${twice}" exists already: runs would not know which one is meant; choose another id`,
      );
  };
  const idOf = ({ id }: { readonly id: string }) => id;
  taken('method', ownMethods.map(idOf), methods);
  taken('model', ownModels.map(idOf), models);
}

/**
 * Builds an untrained network, of values: whoever has a method or a model of their own needs no table.
 *
 * @throws UsageError for an input that the model cannot take, and options that do not go together
 */
export function buildNetwork(model: ModelEntry, method: Method, options: NetworkOptions): Network;
/**
 * The same by the names of Signum's tables, as files have it.
 *
 * @param defaults that a run has stored of its method, in place of the present ones
 * @param own methods, models and heads to look up first
 * @throws UsageError for unknown names too
 */
export function buildNetwork(config: NetworkConfig, defaults?: TrainingDefaults, own?: OwnParts): Network;
export function buildNetwork(
  first: ModelEntry | NetworkConfig,
  second?: Method | TrainingDefaults,
  third: NetworkOptions | OwnParts = {},
): Network {
  if ('build' in first) return networkOf(first, second as Method, third as NetworkOptions);
  const { model: id, method, revision, head: ending, ...options } = first;
  const own = third as OwnParts;
  const defaults = second as TrainingDefaults | undefined;
  const value = methodOn(id, method, revision, own.methods);
  const built = { ...options, head: headOf(ending, own), headSettings: ending?.settings };
  return networkOf(modelNamed(id, own.models), defaults ? { ...value, defaults } : value, built);
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
