import { Random } from '../core/random.ts';
import { firstNotFinite, tracedByName } from '../models/layer-names.ts';
import type { Network } from '../models/network.ts';
import { binaryLayersOf, isBinaryLayer } from '../nn/binary-layer.ts';
import { decays } from '../nn/decay.ts';
import { Module } from '../nn/module.ts';
import { allTranslations } from '../pack/trace.ts';
import type { Effect, Translation } from '../pack/translation.ts';
import type { TapeNode } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { optimizerOf, type TrainConfig } from '../train/config.ts';
import type { EpochMetrics } from '../train/run-folder.ts';

/** A classical mistake found in a network, its training options or its log. */
export interface Finding {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly where: string;
  readonly reason: string;
  readonly cure: string;
}

class Graph {
  private readonly nodes: readonly TapeNode[];
  private readonly producer = new Map<Tensor, TapeNode>();
  private readonly known: ReadonlyMap<string, Translation>;

  constructor(nodes: readonly TapeNode[], known: ReadonlyMap<string, Translation>) {
    this.nodes = nodes;
    this.known = known;
    for (const node of nodes) this.producer.set(node.output, node);
  }

  /** Is that what the op does? Of an op that is not packed, nobody knows. */
  does(node: TapeNode | undefined, ...wanted: readonly Effect[]): boolean {
    return node !== undefined && wanted.some((effect) => effect === this.known.get(node.op)?.effect);
  }

  /** What computed the tensor, skipping what leaves it as normalised as it was. */
  source(tensor: Tensor): TapeNode | undefined {
    const node = this.producer.get(tensor);
    return node && this.does(node, 'keeps') ? this.source(node.inputs[0]!) : node;
  }

  /** Each image loses its mean on the way here: what a ReLU let through has both signs again. */
  isCentred(tensor: Tensor): boolean {
    const node = this.producer.get(tensor);
    if (!node || !this.does(node, 'keeps')) return false;
    return node.attributes['centred'] === true || this.isCentred(node.inputs[0]!);
  }

  readers(tensor: Tensor): TapeNode[] {
    return this.nodes.filter((node) => node.inputs.includes(tensor));
  }

  /** The first ops downstream that do more than pass values on. */
  following(tensor: Tensor): TapeNode[] {
    return this.readers(tensor).flatMap((node) =>
      this.does(node, 'keeps', 'passes', 'pools') ? this.following(node.output) : [node],
    );
  }
}

/** Convolutions of signs, or of floats, by binary weights, in order. */
const isBinary = ({ product }: TapeNode) => product?.weightBits === 1 && [1, 32].includes(product.inputBits);

function structureFindings(
  nodes: readonly TapeNode[],
  names: ReadonlyMap<TapeNode, string>,
  image: Tensor,
  known: ReadonlyMap<string, Translation>,
): Finding[] {
  const graph = new Graph(nodes, known);
  const findings: Finding[] = [];
  const convs = [...names.keys()].filter(({ product }) => product);
  const binary = convs.filter(isBinary);
  binary.forEach((node, i) => {
    const where = names.get(node)!;
    const add = (rule: string, severity: Finding['severity'], reason: string, cure: string) =>
      findings.push({ rule, severity, where, reason, cure });
    const [input, filter] = node.inputs as [Tensor, Tensor];
    const sign = graph.source(input);
    const before = graph.does(sign, 'signs') ? graph.source(sign!.inputs[0]!) : undefined;
    const ofPixels = node.owner instanceof Module && isBinaryLayer(node.owner) && node.owner.pixels;
    if (!ofPixels && (input === image || (sign === undefined && node.product?.inputBits === 32))) {
      add(
        'float-input',
        'warning',
        'its input is the float image itself, so its products are not XNORs',
        'keep the first layer in full precision, or binarize the input',
      );
    }
    const isCut =
      graph.does(before, 'rectifies') || (graph.does(before, 'normalises') && before!.attributes['low'] === 0);
    if (isCut && !graph.isCentred(sign!.inputs[0]!)) {
      add(
        'relu-before-sign',
        'error',
        'a ReLU right before the sign leaves no negative value: every activation becomes +1',
        'use hardtanh or no activation before a sign',
      );
    }
    const after = graph.following(node.output);
    const normBefore = graph.does(before, 'normalises');
    if (!normBefore && !after.some((next) => graph.does(next, 'normalises'))) {
      add(
        'missing-batch-norm',
        'warning',
        'no batch-norm before its sign or after its product: integer dots of +-K saturate every estimator',
        'put a BatchNorm after the convolution',
      );
    }
    const pooled = graph.does(before, 'pools') ? graph.source(before!.inputs[0]!) : undefined;
    if (graph.does(pooled, 'signs')) {
      add(
        'pool-after-sign',
        'error',
        'pooling after the sign gives almost only +1 (max) or non-binary values (average)',
        'pool right after the convolution, before batch-norm and sign',
      );
    }
    const inChannels = filter.shape[2]!;
    const outChannels = filter.shape[3]!;
    for (const [side, channels] of [
      ['input', inChannels],
      ['output', outChannels],
    ] as const) {
      if (channels % 32 !== 0 && !(side === 'output' && i === binary.length - 1)) {
        add(
          'odd-channels',
          'note',
          `${channels} ${side} channels: words of 64 bits and panels of 32 filters are partly empty`,
          `use a multiple of 32, e.g. ${Math.ceil(channels / 32) * 32}`,
        );
      }
    }
  });
  const [first, last] = [convs[0], convs.at(-1)];
  for (const [name, node] of [
    ['first', first],
    ['last', last],
  ] as const) {
    if (node && isBinary(node)) {
      findings.push({
        rule: `${name}-layer-binarized`,
        severity: 'note',
        where: names.get(node)!,
        reason: `the ${name} layer is binary; most papers keep it in full precision for several points of accuracy`,
        cure: 'accept it for the smallest file, or where the paper has it so (BNN, FINN); --first-last float and other models have it in float',
      });
    }
  }
  return findings;
}

/** Of a trained network: one that overflows answers nothing. */
function overflowFindings(names: ReadonlyMap<TapeNode, string>): Finding[] {
  const found = firstNotFinite(names);
  if (!found) return [];
  return [
    {
      rule: 'not-finite',
      severity: 'error',
      where: found.name,
      reason: `gives ${found.value}, the first in the network that is not finite: its training diverged`,
      cure: 'train again at a lower rate (--rate), or from an earlier checkpoint',
    },
  ];
}

function trainingFindings(network: Network, config: TrainConfig): Finding[] {
  const { method } = network;
  const findings: Finding[] = [];
  const optimizer = optimizerOf(config, method);
  const clip = config.effective?.defaults.clipLatent ?? config.clipLatent ?? method.defaults.clipLatent;
  const latents = binaryLayersOf(network).length > 0 && method.bits.weight === 1;
  if (latents && method.clippedWeightEstimator && !clip) {
    findings.push({
      rule: 'unclipped-latents',
      severity: 'note',
      where: method.id,
      reason:
        'its weight estimator passes no gradient beyond [-1,1], and latent weights are not clipped: those that leave never return',
      cure: 'set clipLatent: true, or watch "constant filters" in the report',
    });
  }
  const decay = config.decay ?? method.defaults.decay ?? 'weights';
  const decayed = optimizer.weightDecay > 0 && decays(decay, { role: 'latent', decayed: undefined });
  if (latents && decayed && !method.structure.scaleInvariantWeights) {
    findings.push({
      rule: 'latent-weight-decay',
      severity: 'warning',
      where: `${optimizer.id}, weight decay ${optimizer.weightDecay}`,
      reason: 'weight decay pulls latent weights to 0, where every step flips signs; it does not regularise a sign',
      cure: 'set weightDecay: 0, or decay: "but-binary"',
    });
  }
  return findings;
}

/** More weights beyond the clip than this cost accuracy: the network has that much less to learn with. */
const mostStuckWeights = 0.1;
/** Of a unit normal, 0.32 lie beyond [-1,1]. A stream of shortcuts that nothing normalises again reaches 0.4 to 0.75. */
const mostSaturation = 0.5;

/** Layers whose signs see mostly values that no clipped slope lets a gradient through. */
function saturationFindings(layers: EpochMetrics['layers']): Finding[] {
  const saturated = layers.filter(({ saturation }) => saturation > mostSaturation);
  if (saturated.length === 0) return [];
  const most = Math.max(...saturated.map(({ saturation }) => saturation));
  return [
    {
      rule: 'saturated-activations',
      severity: 'warning',
      where: `${saturated.length} of ${layers.length} layers`,
      reason: `up to ${(100 * most).toFixed(0)} % of the values before a sign lie beyond [-1,1], where a clipped slope passes no gradient`,
      cure: 'normalise right before the sign: --block-order bn-conv',
    },
  ];
}

function logFindings({ method }: Network, metrics: readonly EpochMetrics[]): Finding[] {
  const last = metrics.at(-1);
  if (!last) return [];
  const findings = method.bits.activation === 1 ? saturationFindings(last.layers) : [];
  for (const [i, layer] of last.layers.entries()) {
    if (layer.constantFilters > 0) {
      findings.push({
        rule: 'constant-filters',
        severity: 'warning',
        where: layer.layer,
        reason: `${(100 * layer.constantFilters).toFixed(1)} % of its filters have weights of one sign only: they compute a plain sum`,
        cure: 'balance the weights (ir-net), lower the rate, or narrow the layer',
      });
    }
    if ((layer.stuckWeights ?? 0) > mostStuckWeights) {
      findings.push({
        rule: 'stuck-weights',
        severity: 'warning',
        where: layer.layer,
        reason: `${(100 * layer.stuckWeights!).toFixed(0)} % of its latent weights lie beyond [-1,1], where their clipped estimator passes no gradient: they cannot change sign any more`,
        cure: 'clip latent weights (--clip-latent), or lower the rate',
      });
    }
    if (metrics.length >= 3 && metrics.every((epoch) => (epoch.layers[i]?.signFlips ?? 1) === 0)) {
      findings.push({
        rule: 'dead-layer',
        severity: 'error',
        where: layer.layer,
        reason: 'not one of its weights changed sign in any epoch: it is still its random initialisation',
        cure: 'raise the rate or check that gradients reach it (gradient norm in the report)',
      });
    }
  }
  return findings;
}

/**
 * Looks for the classical mistakes of binary networks.
 *
 * @param network as built for training; not changed
 * @param config the training options, when known
 * @param metrics the log of a run, when there is one
 * @param ops translations of ops that this package does not know
 */
export function lint(
  network: Network,
  config?: TrainConfig,
  metrics: readonly EpochMetrics[] = [],
  ops: readonly Translation[] = [],
): Finding[] {
  const known = allTranslations(ops);
  const { inputShape } = network.config;
  const pixels = new Float32Array(inputShape.reduce((a, b) => a * b));
  new Random(1).fillNormal(pixels, 0, 1);
  const image = new Tensor(pixels, [1, ...inputShape]);
  const { training, point } = network;
  const { values } = network.context;
  network.setTraining(false);
  // a method with stages has its binary layers at its end
  network.setPointToEnd();
  const structure = tracedByName(network, image, undefined, (_outputs, names, nodes) => [
    ...overflowFindings(names),
    ...structureFindings(nodes, names, image, known),
  ]);
  network.setPoint(point, values);
  network.setTraining(training);
  return [...structure, ...(config ? trainingFindings(network, config) : []), ...logFindings(network, metrics)];
}
