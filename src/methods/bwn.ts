import { floatActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

/**
 * Binary-Weight-Networks: w ~ alpha_c sign(w) with alpha_c = mean|w_c|, the least-squares optimum; the gradient follows the chain
 * rule through alpha (Rastegari et al., ECCV 2016, eq. 5-6; survey [58], eq. 8).
 */
export const bwn = defineMethod({
  id: 'bwn',
  title: 'Binary-Weight-Networks',
  paper: 'Rastegari et al., ECCV 2016',
  family: 'quantization-error',
  bits: { weight: 1, activation: 32 },
  weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
  activation: floatActivation,
  clippedWeightEstimator: true,
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: adam({ rate: 1e-3, weightDecay: 1e-5 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
