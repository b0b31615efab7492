import type { PackedNode } from '../runtime/graph.ts';
import type { PackedModel } from '../runtime/packed-model.ts';
import { nodeTimes } from './latency.ts';
import { operationsOf } from './macs.ts';

/** One row of `signum summary`. MACs are per image. */
export interface LayerSummary {
  readonly name: string;
  readonly op: string;
  readonly shape: string;
  /** weight/activation bits of the product, or empty */
  readonly bits: string;
  readonly parameters: number;
  readonly binaryMacs: number;
  readonly floatMacs: number;
  readonly floatBytes: number;
  readonly packedBytes: number;
  readonly kernel: string;
  /** For the batch. */
  readonly milliseconds: number;
  /** Share of run time, 0..1. */
  readonly timeShare: number;
}

type ConvLike = Extract<
  PackedNode,
  { op: 'conv2d' | 'signConv2d' | 'xnorConv2d' | 'xnorConv2dThreshold' | 'planesConv2d' }
>;
const isConv = (node: PackedNode): node is ConvLike => 'kernel' in node;

function product(
  node: PackedNode,
  inputShape: readonly number[],
): { weights: number; macs: number; binary: boolean; weightBits: number } {
  if (isConv(node)) {
    const inChannels = inputShape.at(-1)! / node.groups;
    const outChannels = node.shape.at(-1)!;
    const weights = node.kernel[0] * node.kernel[1] * inChannels * outChannels;
    const pixels = node.shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const planes = node.op === 'planesConv2d' ? node.inputs.length : 1;
    const binary = ['xnorConv2d', 'xnorConv2dThreshold', 'planesConv2d'].includes(node.op);
    return {
      weights,
      macs: weights * pixels * planes,
      binary,
      weightBits: node.op === 'conv2d' ? (node.codeScale ? 8 : 32) : 1,
    };
  }
  if (node.op === 'dense') {
    const weights = inputShape.reduce((a, b) => a * b, 1) * node.shape.at(-1)!;
    return { weights, macs: weights, binary: false, weightBits: node.codeScale ? 8 : 32 };
  }
  return { weights: 0, macs: 0, binary: false, weightBits: 32 };
}

const perChannel = ['alpha', 'codeScale', 'scale', 'shift', 'threshold', 'flip', 'falling', 'bias', 'slope', 'factors'];

/** How many numbers a node keeps beside its weights. */
function extras(node: PackedNode): number {
  const channels = node.shape.at(-1)!;
  const named = perChannel.filter((key) => typeof (node as Record<string, unknown>)[key] === 'string');
  const map = 'map' in node ? node.shape.reduce((a, b) => a * b, 1) : 0;
  const codes = 'thresholds' in node ? 2 * node.levels - 1 : 0;
  return named.length * channels + map + codes;
}

/** Shape, bits, parameters, MACs, size and measured share of run time of every packed layer. */
export function summarise(model: PackedModel, batch = 1, repeats = 20): LayerSummary[] {
  const shapes = new Map<number, readonly number[]>([[0, model.graph.input]]);
  for (const node of model.graph.nodes) shapes.set(node.output, node.shape);
  const times = nodeTimes(model, batch, repeats);
  const total = [...times.values()].reduce((a, b) => a + b, 0);
  return model.steps.map(({ node, kernel }) => {
    const { weights, macs, binary, weightBits } = product(node, shapes.get(node.inputs[0]!)!);
    const extra = extras(node);
    return {
      name: node.name,
      op: node.op,
      shape: node.shape.join('x'),
      bits: weights === 0 ? '' : `${weightBits}/${binary ? 1 : 32}`,
      parameters: weights + extra,
      binaryMacs: binary ? macs : 0,
      floatMacs: binary ? 0 : macs,
      floatBytes: 4 * (weights + extra),
      packedBytes: Math.ceil((weightBits * weights) / 8) + 4 * extra,
      kernel,
      milliseconds: times.get(node.output)!,
      timeShare: times.get(node.output)! / total,
    };
  });
}

/** OPs of a packed network, per image. */
export const operations = (layers: readonly LayerSummary[]): number =>
  layers.reduce((sum, { floatMacs, binaryMacs }) => sum + operationsOf({ float: floatMacs, binary: binaryMacs }), 0);

/** Total over layers of one of their figures. */
export const sumOf = (
  layers: readonly LayerSummary[],
  key: 'parameters' | 'binaryMacs' | 'floatMacs' | 'floatBytes' | 'packedBytes' | 'milliseconds',
): number => layers.reduce((total, layer) => total + layer[key], 0);
