import type { Network } from '../models/network.ts';
import { traced } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

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
        for (const { product } of nodes) {
          if (!product) continue;
          const { macs, weightBits, inputBits } = product;
          // bits by bits, as often as there are bit-planes
          if (weightBits * inputBits < 32) binary += macs * weightBits * inputBits;
          else float += macs;
        }
        return { binary, float };
      },
    );
  } finally {
    network.setTraining(wasTraining);
  }
}
