import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte, straightThrough } from '../binarize/estimators.ts';
import { noScale } from '../binarize/scales.ts';
import { softened } from '../binarize/soft-sign.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { constant } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

const sharpest = 1000;

/**
 * Self-Binarizing Networks: trains tanh(nu x) for weights and activations, nu from 1 to 1000, and tests with their limit, sign; batch-norm
 * before a sign packs to a comparison (Lahoud et al. 2019, sec. 3; survey [94]).
 */
export const selfBinarizing = defineMethod({
  id: 'self-binarizing',
  title: 'Self-Binarizing Networks',
  paper: 'Lahoud et al., 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: softened({
    curve: 'tanh',
    sharpness: 'nu',
    hard: binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' }),
  }),
  activation: softened({ curve: 'tanh', sharpness: 'nu', hard: binarizeActivation(clippedSte) }),
  schedule: ({ progress }) => ({ nu: sharpest ** progress }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'none' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: constant(),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
