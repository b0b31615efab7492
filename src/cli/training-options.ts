import type { Command } from 'commander';
import { withBases, withBits } from '../methods/forms.ts';
import type { Bits } from '../methods/method.ts';
import { methodNamed, methodOn } from '../methods/table.ts';
import { modelNamed, type Own } from '../models/table.ts';
import { parseConfig, type TrainConfig } from '../train/config.ts';
import { epochsOfStages } from '../train/stage-options.ts';
import {
  atLeastOne,
  bits,
  byKind,
  integer,
  number,
  numbers,
  policy,
  positive,
  settings,
  share,
  stages,
} from './arguments.ts';
import { plugin } from './plugins.ts';

/** The options that say what is trained and how. */
export function withTrainingOptions(command: Command): Command {
  return command
    .option('--model <name>', 'network, see `signum models`', 'resnet20')
    .option('--method <name>', 'binarization method, see `signum methods`', 'ir-net')
    .option('--bits <w/a>', 'the method with other bits of weights and activations, e.g. 1/3', bits)
    .option('--bases <n>', 'the method as a sum of so many binary branches or bases (Group-Net)', atLeastOne)
    .option('--data <name>', 'data set or folder of images, see `signum data`', 'cifar10')
    .option(
      '--task <name>',
      'what for: what the images are known by, and by which figure runs are compared (default: classification)',
    )
    .option('--task-head <name>', 'what the network ends with, where the task has several heads (default: its first)')
    .option(
      '--head-settings <json>',
      'settings of the head that are not its usual ones, e.g. \'{"channels":64}\'',
      settings,
    )
    .option('--width <factor>', 'multiply all channel counts', positive)
    .option('--epochs <n>', 'passes over the data (default: as in the paper)', integer)
    .option('--batch <n>', 'images per step (default: as in the paper)', integer)
    .option('--optimizer <name>', "sgd, adam, adamax, shift-adamax or rmsprop (default: the method's)")
    .option('--rate <x>', 'learning rate', number)
    .option('--momentum <x>', 'SGD momentum', share)
    .option('--nesterov', 'SGD with Nesterov momentum')
    .option('--weight-decay <x>', 'L2 weight decay', number)
    .option(
      '--rate-of <list>',
      'learning rate by kind: latents, weights, norms, quantizers, rest; e.g. latents=0.01,norms=0.1',
      byKind,
    )
    .option('--decay-of <list>', 'weight decay by kind, e.g. weights=5e-4,norms=0', byKind)
    .option('--decay <what>', 'what decays: all, weights, latents or but-binary (all but binary layers)')
    .option('--schedule <name>', 'constant, cosine, linear, polynomial or step')
    .option('--warm-up-epochs <n>', 'linear warm-up', number)
    .option(
      '--clock <name>',
      "the rate and the method's schedule move once an epoch, or every step (default: as in its code)",
    )
    .option('--loss <name>', 'cross-entropy or squared-hinge')
    .option('--clip-latent', 'clip latent weights to [-1,1] after each step')
    .option('--no-clip-latent', 'never clip them')
    .option('--label-smoothing <x>', 'smoothing of the labels', share)
    .option('--block-order <name>', 'batch-norm after the convolution (conv-bn) or before its signs (bn-conv)')
    .option('--pooling <name>', 'max-pooling before-norm or after-norm')
    .option('--shortcut <name>', 'of ResNets: around every-conv, every-block or none')
    .option(
      '--activation <name>',
      'between layers: hardtanh, relu, prelu, rprelu, shift-rprelu, two-slopes (Maxout), maxout (PReLU times a gain) or none',
    )
    .option('--stem <name>', 'after the first layer, of the same names')
    .option(
      '--downsample <name>',
      'of CIFAR ResNets: shortcuts take every second pixel (strided) or averages (average)',
    )
    .option('--head <name>', 'of ResNets for CIFAR: batch-norm before the classifier (norm) or none (plain)')
    .option(
      '--first-last <name>',
      "weights of the first and last layer: float, the method's with batch-norm after them (binary), or with a bias (binary-biased)",
    )
    .option('--norm-momentum <x>', "share of the new batch in batch-norm's averages", number)
    .option('--estimator <name>', 'slope of the activations: identity, clip, approx-sign, swish-sign, ede or tanh')
    .option('--weight-estimator <name>', 'slope of the weights, of the same names')
    .option(
      '--stages <plan>',
      'several trainings, each from the weights of the one before, with its own rate and optimiser: activations-first, weights-first, what is binary in each (activations,both), or a JSON list or file of them (docs/stages.md)',
      stages,
    )
    .option('--bit-steps <list>', "bits before the method's own, e.g. 8,4,2", numbers)
    .option('--partitions <list>', 'shares of weights binarized before all are, e.g. 0.5,0.75,0.875', numbers)
    .option('--policy <list>', 'precision of single layers, e.g. 1.first=float,*=binary,11=8-bit', policy)
    .option(
      '--pad-crop <pixels>',
      'augment: random shift by up to this many pixels (default: as usual for the data)',
      integer,
    )
    .option('--flip', 'augment: random mirror (default: as usual for the data)')
    .option('--no-flip', 'never mirror')
    .option('--cutout <pixels>', 'augment: blank a square of this side at a random place (16 for CIFAR-10)', integer)
    .option(
      '--mixup <alpha>',
      'augment: mix images and labels in pairs, by shares drawn from Beta(alpha, alpha)',
      positive,
    )
    .option('--resized-crop', 'augment a folder of images: random part, 8-100 % of the area, scaled to the input')
    .option(
      '--allow-broken <share>',
      'leave out up to this share of broken pictures of a folder (default: 0.01)',
      share,
    )
    .option(
      '--split-seed <n>',
      'which fifth of a folder without test pictures is kept for the test (default: 1)',
      integer,
    )
    .option(
      '--init <run>',
      'start from the weights of a trained run or zoo:<network>; none: at random, where the method starts from a float network',
    )
    .option(
      '--teacher <run>',
      'trained run or zoo:<network> to learn from, in the way of the method or of --distill; none: from labels alone, where the method learns from a float network',
    )
    .option(
      '--distill <share>',
      "learn so much from the teacher's answers, the rest from labels (default: 0.5 where the method has no way of its own)",
      positive,
    )
    .option('--temperature <x>', 'soften the answers of --distill by it (default: 4)', positive)
    .option(
      '--ema <decay>',
      'average weights and statistics over the steps, e.g. 0.999: the averages are evaluated and packed',
      share,
    )
    .option('--reestimate-norm <n>', "measure batch-norm's statistics anew on n training images at the end", integer)
    .option(
      '--validation <n>',
      'hold n training images back, drawn by the seed: the best epoch is chosen on them',
      integer,
    )
    .option('--keep <what>', 'best: keep the checkpoint of the best epoch beside the last (eval --best, pack --best)')
    .option('--patience <n>', 'stop after n epochs without a better one', integer)
    .option('--limit <n>', 'use only n images of each split, a fixed sample', integer)
    .option('--seed <n>', 'fixes weights, data order and noise', integer)
    .option(...plugin);
}

/** @param training all of these options, and no other ones */
export function trainingConfig(training: Record<string, unknown>, own: Own): TrainConfig {
  const model = modelNamed(String(training['model']), own.models);
  const { defaults } = methodOn(model.id, String(training['method']), undefined, own.methods);
  const epochs = epochsOfStages(training['stages']) ?? defaults.epochs;
  return parseConfig({ epochs, batch: defaults.batch, ...training });
}

/**
 * The options with `--bits` and `--bases` made part of the method's name, which is what runs store.
 *
 * @param method in place of the default one, where none was typed
 */
export function withForm(
  { bits: given, bases, ...training }: Record<string, unknown> & { bits?: Bits; bases?: number },
  own: Own,
  method = String(training['method']),
): Record<string, unknown> {
  if (given === undefined && bases === undefined) return training;
  const named = methodNamed(method, undefined, own.methods);
  const widened = given ? withBits(named, given) : named;
  return { ...training, method: (bases === undefined ? widened : withBases(widened, bases)).id };
}

/** The training options that were typed: defaults are no wish to change a run. */
export function typedOptions(command: Command, training: Record<string, unknown>): Record<string, unknown> {
  const isTyped = (key: string) => command.getOptionValueSource(key) === 'cli';
  const hasForm = isTyped('bits') || isTyped('bases');
  return Object.fromEntries(Object.entries(training).filter(([key]) => isTyped(key) || (key === 'method' && hasForm)));
}

/** `resnet20-ir-net-cifar10` */
export const defaultRunName = (training: Record<string, unknown>): string =>
  `${training['model']}-${training['method']}-${String(training['data']).replaceAll(/[^\w-]+/g, '_')}`;
