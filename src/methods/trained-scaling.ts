import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, clippedSte } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale } from '../binarize/learned-scale.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { layerMean } from '../binarize/scales.ts';
import type { ActivationSum } from '../binarize/terms.ts';
import { adam } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

const signs = binarizeActivation(approxSign);

/** beta sign(x), beta learned for the layer. */
const scaledSigns: Quantizer<ActivationSum> = learning(
  () => ({ learned: { activationScale: { values: Float32Array.of(1) } } }),
  (x, context, { learned }) => ({ terms: [{ bits: signs(x, context), scale: learned['activationScale']! }] }),
);

/**
 * Trained scaling factors: w ~ alpha sign(w) and a ~ beta sign(a) with one alpha and one beta a layer, both learned by gradient, and
 * the second-order approximation of sign's derivative on activations (Xu and Cheung, BMVC 2019, sec. 3; survey [97]).
 */
export const trainedScaling = defineMethod({
  id: 'trained-scaling',
  title: 'Trained scaling factors',
  paper: 'Xu and Cheung, BMVC 2019',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: binarizeWithLearnedScale({
    estimator: clippedSte,
    start: (w) => layerMean(w).slice(0, 1),
    weightGradient: 'through',
  }),
  activation: scaledSigns,
  clippedWeightEstimator: true,
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'hardtanh' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: linear(),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
