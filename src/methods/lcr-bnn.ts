import { add, scale } from '../tensor/ops/arithmetic.ts';
import { meanSquaredError } from '../tensor/ops/distillation.ts';
import { retentionNorm } from '../tensor/ops/retention.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { irNetResnet20 } from './ir-net.ts';
import { defineMethod, type LossTerm } from './method.ts';

/** The regulariser is this much over the size of the batch (alpha = 8 in the authors' code, which divides by 10,000). */
const strength = 8 / 10_000;

/** How much each layer stretches the images, from what enters it and what enters the next. */
const retained = (inputs: readonly Tensor[]): Tensor[] =>
  inputs.slice(1).map((next, i) => retentionNorm(inputs[i]!, next));

/** sum_k 2^(k-L) mean (norm of layer k in the binary network - in the float one)^2 (eq. 12). */
export const lipschitz: LossTerm = ({ logits, layers, teacher }) => {
  const norms = retained(layers.map(({ input }) => input));
  const distances = norms.flatMap((norm, k) => {
    const target = teacher!.features[k];
    return target ? [scale(meanSquaredError(norm, target), strength / logits.rows / 2 ** (norms.length - k))] : [];
  });
  return distances.reduce(add);
};

/**
 * LCR-BNN: an IR-Net whose layers stretch their images as much as those of a trained float network of the same topology: spectral norms of
 * retention matrices, by one step of the power iteration (Shang et al., ECCV 2022, eq. 8-13, and the authors' code).
 */
export const lcrBnn = defineMethod({
  ...irNetResnet20,
  id: 'lcr-bnn',
  revision: 1,
  title: 'LCR-BNN',
  paper: 'Shang et al., ECCV 2022',
  family: 'loss',
  teacher: 'trained',
  teacherFeatures: retained,
  lossTerms: [lipschitz],
  defaults: { ...irNetResnet20.defaults, epochs: 100, batch: 200 },
});
