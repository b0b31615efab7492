import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, clippedSte } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

/**
 * Bi-Real Net: the real activations before each sign pass around the conv by a shortcut; ApproxSign slope on activations;
 * weights alpha_c sign(w) (Liu et al., ECCV 2018, eq. 5-9; survey [62], eq. 12-13). Trained from scratch with Adam as in the authors' PyTorch code,
 * which passes the gradient of the scaled weight on as it is, 1[|w| <= 1] g; the paper multiplies it by alpha_c (eq. 8), which Adam undoes and which
 * makes latent weights about ten times slower under SGD.
 */
export const biReal = defineMethod({
  id: 'bi-real',
  title: 'Bi-Real Net',
  paper: 'Liu et al., ECCV 2018',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'straight' }),
  activation: binarizeActivation(approxSign),
  clippedWeightEstimator: true,
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'none' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: linear(),
    epochs: 256,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { rate: 'epoch' },
  },
});
