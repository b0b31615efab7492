import { UsageError } from '../core/errors.ts';
import type { Method } from '../methods/method.ts';
import { withTricks } from '../methods/tricks.ts';
import { Module } from '../nn/module.ts';
import { headed } from './backbone.ts';
import { classifier } from './heads/classifier.ts';
import { type Head, type HeadSettings, headSettings } from './heads/head.ts';
import type { ModelEntry } from './model.ts';
import { Network, type NetworkConfig } from './network.ts';

/** What determines a network beside its model and its method. */
export type NetworkOptions = Omit<NetworkConfig, 'model' | 'method' | 'revision' | 'head'> & {
  /** What it ends with; default the classifier. */
  readonly head?: Head | undefined;
  /** Settings of the head that are not the usual ones. */
  readonly headSettings?: HeadSettings | undefined;
};

/**
 * Builds an untrained network of a model and a method.
 *
 * @throws UsageError for an input that the model cannot take, and options that do not go together
 */
export function networkOf(
  model: ModelEntry,
  method: Method,
  { head = classifier as unknown as Head, headSettings: given, ...options }: NetworkOptions,
): Network {
  const settings = headSettings(head, given);
  const named = (head as unknown) === classifier ? {} : { head: { id: head.id, settings } };
  const config: NetworkConfig = { ...options, ...named, model: model.id, method: method.id };
  const [height, width, channels] = config.inputShape;
  if (Math.min(height, width) < model.smallestSide) {
    throw new UsageError(
      `${config.model} needs images of at least ${model.smallestSide} pixels a side, got ${height}x${width}`,
    );
  }
  if (channels < 1) throw new UsageError(`a network needs at least one input channel, got ${channels}`);
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
  const built = structure ? { ...changed, structure } : changed;
  return new Network(config, built, (context) => {
    const own = model.build(context);
    if (own instanceof Module) return own;
    return headed(own, (taps) => head.build(taps, config.classes, { ...context, settings }), model.id);
  });
}
