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

/** Shape, bits, parameters, MACs, size and measured share of run time of every packed layer. */
export function summarise(model: PackedModel, batch = 1, repeats = 20): LayerSummary[] {
  const times = nodeTimes(model, batch, repeats);
  const total = [...times.values()].reduce((a, b) => a + b, 0);
  return model.steps.map(({ node, kernel, cost, numbers, storedBytes }) => {
    const { weights, weightBits, inputBits, macs } = cost;
    const binary = weightBits === 1 && inputBits === 1;
    return {
      name: node.name,
      op: node.op,
      shape: node.shape.join('x'),
      bits: weights === 0 ? '' : `${weightBits}/${inputBits}`,
      parameters: numbers,
      binaryMacs: binary ? macs : 0,
      floatMacs: binary ? 0 : macs,
      floatBytes: 4 * numbers,
      packedBytes: storedBytes,
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
