import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { softened } from '../binarize/soft-sign.ts';
import { floatUntil } from '../binarize/stages.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { rmsprop } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

/** Activations are soft this long; weights follow in the second half of it. */
const softShare = 0.75;
const weightsFrom = 0.375;
const doublings = 16;

/**
 * Improved Training of BNNs: PReLU after each convolution; activations pass a softsign whose lambda doubles 16 times before it becomes the
 * sign; activations are binarized before weights (Bulat et al. 2019, sec. 4; survey [95]).
 */
export const itBnn = defineMethod({
  id: 'it-bnn',
  title: 'Improved Training of BNNs',
  paper: 'Bulat et al., 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: floatUntil(
    'binaryWeights',
    binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
  ),
  activation: softened({ curve: 'softsign', sharpness: 'lambda', hard: binarizeActivation(clippedSte) }),
  clippedWeightEstimator: true,
  schedule: ({ progress }) => ({
    binaryWeights: progress < weightsFrom ? 0 : 1,
    lambda: progress < softShare ? 2 ** ((doublings * progress) / softShare) : Number.POSITIVE_INFINITY,
  }),
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'prelu' },
  defaults: {
    optimizer: rmsprop({ rate: 1e-3 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
