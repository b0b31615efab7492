import { UsageError } from '../core/errors.ts';
import { Batches } from '../data/batches.ts';
import { type DataSet, sampleOf } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';
import { type Policy, weightLayers } from '../models/policy.ts';
import { buildNetwork, withMethod } from '../models/table.ts';
import { isBinaryLayer } from '../nn/binary-layer.ts';
import { type PackedTask, pack } from '../pack/pack.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { evaluate } from '../train/evaluate.ts';
import { pause } from '../train/pause.ts';
import type { Plugin } from '../train/plugin.ts';
import { adopt } from '../train/teacher.ts';
import { latencyMs } from './latency.ts';

export interface SensitivityOptions {
  /** Method of the layers that are binary; default: that of the network. */
  readonly method?: string;
  /** Values that the network, or the method, may be of. */
  readonly own?: Plugin | undefined;
  /** What the network is for, with the head that it ends with; default classification. */
  readonly task?: PackedTask | undefined;
  /** What a layer is switched to. */
  readonly precisions: readonly string[];
  /** Test images used. */
  readonly images: number;
  /** Training batches of 100 that batch-norm's statistics are taken from anew after a switch. */
  readonly calibration: number;
}

/** The network with one layer switched, or as it is. */
export interface Variant {
  /** Null: as it is. */
  readonly layer: string | null;
  readonly precision: string | null;
  readonly loss: number;
  readonly accuracy: number;
  /** Of the packed file. */
  readonly bytes: number;
  /** Of the packed network, for one image. */
  readonly milliseconds: number;
}

export interface Sensitivity {
  readonly base: Variant;
  /** Every binary layer at every precision. */
  readonly switched: readonly Variant[];
}

const batchSize = 100;

/** Measures networks that have the weights of a trained one, but other precisions. */
export class SensitivityBench {
  private readonly source: Network;
  private readonly data: DataSet;
  private readonly options: SensitivityOptions;
  /** Binary layers, by name, in order. */
  readonly layers: readonly string[];
  /** What the layers are that are not named in a policy. */
  private readonly basePrecision: string;

  constructor(source: Network, data: DataSet, options: SensitivityOptions) {
    this.source = source;
    this.data = data;
    this.options = options;
    this.layers = weightLayers(source).flatMap(({ name, value }) => (isBinaryLayer(value) ? [name] : []));
    this.basePrecision = source.method.family === 'float' ? 'float' : 'binary';
  }

  /** Loss, accuracy, size and latency of the network under a policy, without any training. */
  async variant(policy: Policy, layer: string | null = null): Promise<Variant> {
    const network = await this.networkOf({ '*': this.basePrecision, ...policy });
    const split = sampleOf(this.data.test, this.options.images);
    const { loss, top1 } = await evaluate(
      (images, count) => inference(() => network.forward(new Tensor(images, [count, ...this.data.shape])).data.slice()),
      new Batches(this.data, split, batchSize),
      this.data.classes.length,
    );
    const { images, count } = await new Batches(this.data, split, 16).plain(0);
    const { classes, mean, std } = this.data;
    const { bytes, model } = pack(network, new Tensor(images, [count, ...this.data.shape]), {
      classes,
      mean,
      std,
      ops: this.options.own?.ops,
      task: this.options.task,
    });
    const precision = layer === null ? null : (policy[layer] ?? null);
    return { layer, precision, loss, accuracy: top1, bytes: bytes.length, milliseconds: latencyMs(model) };
  }

  private async networkOf(policy: Policy): Promise<Network> {
    const { method = this.source.config.method, own, task } = this.options;
    const parts = { ...own, heads: task?.heads };
    const network = buildNetwork({ ...withMethod(this.source.config, method), policy }, undefined, parts);
    requireSameStructure(network, this.source);
    adopt(network, this.source);
    const { point, context } = this.source;
    const isItsEnd = method === this.source.config.method && point.progress === 1;
    network.setPoint({ progress: 1, epoch: point.epoch }, isItsEnd ? context.values : undefined);
    await this.renewStatistics(network);
    network.setTraining(false);
    return network;
  }

  /** A switched layer has other outputs: the averages of batch-norms, and of ranges, are taken anew. */
  private async renewStatistics(network: Network): Promise<void> {
    network.setTraining(true);
    const split = sampleOf(this.data.train, this.options.calibration * batchSize);
    const batches = new Batches(this.data, split, batchSize);
    for (let i = 0; i < batches.length; i++) {
      await pause();
      const { images, count } = await batches.plain(i);
      inference(() => network.forward(new Tensor(images, [count, ...this.data.shape])));
    }
  }

  async measure(onVariant: (variant: Variant) => void = () => {}): Promise<Sensitivity> {
    const base = await this.variant({});
    onVariant(base);
    const switched: Variant[] = [];
    for (const layer of this.layers)
      for (const precision of this.options.precisions) {
        if (precision === this.basePrecision) continue;
        const variant = await this.variant({ [layer]: precision }, layer);
        onVariant(variant);
        switched.push(variant);
      }
    return { base, switched };
  }
}

/** Weights only mean the same in a network of the same blocks. */
function requireSameStructure(network: Network, source: Network): void {
  const [ours, theirs] = [network.method.structure, source.method.structure];
  const different = (['order', 'shortcut', 'activation'] as const).find((key) => ours[key] !== theirs[key]);
  if (!different) return;
  throw new UsageError(
    `sensitivity: method "${network.method.id}" has ${different} "${ours[different]}", the run "${theirs[different]}": train the float run with --block-order ${ours.order} --shortcut ${ours.shortcut} --activation ${ours.activation}, or choose another --method`,
  );
}

export interface Budget {
  readonly bytes?: number;
  readonly milliseconds?: number;
}

const costOf = (variant: Variant, budget: Budget): number =>
  budget.bytes === undefined ? variant.milliseconds : variant.bytes;

/**
 * A policy within a budget: all layers at their cheapest, then upgraded one by one, the one with most loss saved for its cost first, as long as
 * the sum of the measured costs stays within. Losses and costs of switches are taken to add up, which only training under the policy can
 * confirm.
 *
 * @returns null when not even the cheapest fits
 */
export function proposePolicy({ base, switched }: Sensitivity, basePrecision: string, budget: Budget): Policy | null {
  const limit = budget.bytes ?? budget.milliseconds ?? Number.POSITIVE_INFINITY;
  const choices = new Map<string, Variant[]>();
  for (const variant of switched) {
    const known = choices.get(variant.layer!) ?? [{ ...base, layer: variant.layer, precision: basePrecision }];
    choices.set(variant.layer!, [...known, variant]);
  }
  const extra = (variant: Variant) => costOf(variant, budget) - costOf(base, budget);
  const chosen = new Map<string, Variant>();
  for (const [layer, variants] of choices)
    chosen.set(
      layer,
      variants.reduce((a, b) => (extra(b) < extra(a) ? b : a)),
    );
  const total = () => [...chosen.values()].reduce((sum, variant) => sum + extra(variant), costOf(base, budget));
  if (total() > limit) return null;
  for (;;) {
    let best: { variant: Variant; worth: number } | null = null;
    for (const [layer, variants] of choices)
      for (const variant of variants) {
        const now = chosen.get(layer)!;
        const saved = now.loss - variant.loss;
        const cost = extra(variant) - extra(now);
        if (saved <= 0 || total() + cost > limit) continue;
        const worth = saved / Math.max(cost, 1e-9);
        if (!best || worth > best.worth) best = { variant, worth };
      }
    if (!best) break;
    chosen.set(best.variant.layer!, best.variant);
  }
  return Object.fromEntries([...chosen].map(([layer, { precision }]) => [layer, precision!]));
}
