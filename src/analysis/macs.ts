import type { ConvGeometry } from '../core/conv-geometry.ts';
import type { Network } from '../models/network.ts';
import { traced } from '../tensor/tape.ts';
import { PlaneTensor, Tensor } from '../tensor/tensor.ts';

/** Multiply-accumulates of one image. */
export interface Macs {
  /** Of signs by signs; several where several bit-planes are multiplied. */
  readonly binary: number;
  readonly float: number;
}

/** OPs = float MACs + binary MACs / 64 (Liu 2018, Bi-Real; used by every later paper). */
export const operationsOf = ({ binary, float }: Macs): number => float + binary / 64;

/** What the convolutions and dense layers of a network cost for one image of its input size. */
export function networkMacs(network: Network): Macs {
  const { inputShape } = network.config;
  const blank = new Tensor(new Float32Array(inputShape.reduce((a, b) => a * b)), [1, ...inputShape]);
  const wasTraining = network.training;
  network.setTraining(false);
  try {
    return traced(
      () => network.forward(blank),
      (_logits, nodes) => {
        let [binary, float] = [0, 0];
        for (const { op, inputs, output, attributes } of nodes) {
          if (op === 'dense') float += inputs[1]!.size;
          const g = attributes['geometry'] as ConvGeometry | undefined;
          if (!g || !('kernelHeight' in g)) continue;
          const macs = (output.size * g.kernelHeight * g.kernelWidth * g.inChannels) / g.groups;
          const [x] = inputs;
          if (op === 'binaryConv2d') binary += macs;
          else if (x instanceof PlaneTensor) binary += macs * x.planes.length;
          else float += macs;
        }
        return { binary, float };
      },
    );
  } finally {
    network.setTraining(wasTraining);
  }
}
