import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, errorDecay } from '../binarize/estimators.ts';
import { filterMeans, filterSpreads } from '../binarize/filter-statistics.ts';
import { layerNormalise } from '../binarize/layer-affine.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { scaleColumns } from '../binarize/scales.ts';
import type { ActivationSum, FilterSum } from '../binarize/terms.ts';
import { standardiseBiased } from '../binarize/transforms.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { multiply } from '../tensor/ops/arithmetic.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';

/** alpha_c sign((w - beta_c)/alpha_c) + beta_c, alpha and beta the spread and the mean of a filter: the set fits its weights (eq. 8-10). */
const fittedSet: Quantizer<FilterSum> = (w, context) => {
  const [means, spreads] = [filterMeans(w), filterSpreads(w)];
  const normal = standardiseBiased(w, context);
  const alpha = floats(w.channels);
  alpha.set(spreads.data);
  const filter = signFilterOf(normal, alpha);
  const backward = (g: Float32Array) => [
    gradientOf(normal, (dw) => {
      kernels().unaryBackward(errorDecay.slope!, normal.data, g, dw, ...errorDecay.parameters(context));
      scaleColumns(dw, spreads.data, dw, w.rows);
    }),
    gradientOf(spreads, (da) => {
      const signs = floats(w.size);
      kernels().unary('clip-ste', normal.data, signs);
      kernels().columnDots(g, signs, da, w.rows, w.channels);
      release(signs);
    }),
  ];
  const signs = record('binarizeWeights', [normal, spreads], filter, backward, { saved: [filter.words, alpha] });
  return { filters: [signs], offset: means };
};

const signs = binarizeActivation(approxSign);

/** alpha and beta of a layer's activations, and the set that they make. */
const learnedSet = (offset: (spread: Tensor, centre: Tensor) => Tensor): Quantizer<ActivationSum> =>
  learning(
    () => ({ learned: { spread: { values: Float32Array.of(1) }, centre: { values: Float32Array.of(0) } } }),
    (x, context, { learned }) => {
      const [spread, centre] = [learned['spread']!, learned['centre']!];
      return {
        terms: [{ bits: signs(layerNormalise(x, centre, spread), context), scale: spread }],
        offset: offset(spread, centre),
      };
    },
  );

/** alpha (sign((x - beta)/alpha) + beta), as the authors' code has it; the paper leaves beta outside the bracket (eq. 12). */
const scaledSet = learnedSet(multiply);

/** alpha sign((x - beta)/alpha) + beta: the set of revision 1. */
export const plainSet = learnedSet((_spread, centre) => centre);

/**
 * AdaBin: the two values of weights and activations are not +-1 but a set of its own, {beta - alpha, beta + alpha}, for each filter, and
 * alpha {beta - 1, beta + 1} for each layer; the product is one XNOR convolution and one sum of bits per window (Tu et al., ECCV 2022, eq. 8-15).
 */
export const adaBin = defineMethod({
  id: 'ada-bin',
  revision: 3,
  title: 'AdaBin',
  paper: 'Tu et al., ECCV 2022',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: fittedSet,
  activation: scaledSet,
  schedule: ({ progress }) => ({ t: 0.001 * 10_000 ** progress }),
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'two-slopes',
    head: 'norm',
    stem: 'two-slopes',
    scaleInvariantWeights: true,
  },
  recipes: { resnet20: { structure: { classifierStart: 'he' } } },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 400,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'all',
  },
});
