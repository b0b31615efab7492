import { binarizeActivation, stochasticActivation } from '../binarize/activations.ts';
import { clippedSte, straightThrough } from '../binarize/estimators.ts';
import { noScale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { exponential, steps } from '../optim/schedules.ts';
import { shiftAdamax } from '../optim/shift-adamax.ts';
import { defineMethod, type Method } from './method.ts';

/**
 * BNN: sign on weights and activations, clipped straight-through estimator on activations, latent weights clipped to [-1,1]
 * (Hubara et al., NeurIPS 2016, eq. 1 and 4; survey [57], eq. 3 and 5).
 */
export const bnn = defineMethod({
  id: 'bnn',
  title: 'Binarized Neural Networks',
  paper: 'Hubara et al., NeurIPS 2016',
  family: 'naive',
  bits: { weight: 1, activation: 1 },
  weight: binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' }),
  activation: binarizeActivation(clippedSte),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'hardtanh', firstLast: 'binary' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    // from 1e-3 to 3e-7, as in the authors' Theano code
    rate: exponential(3e-4),
    clock: { rate: 'epoch' },
    epochs: 500,
    batch: 100,
    loss: 'squared-hinge',
    clipLatent: true,
    augmentation: 'none',
  },
});

/**
 * The plain straight-through estimator, gradient 1 everywhere: the other variant the paper compares (sec. 1.3). Without the hardtanh
 * before each sign, which would clip the gradient all the same.
 */
export const bnnIdentity: Method = defineMethod({
  ...bnn,
  id: 'bnn-identity',
  title: 'BNN, unclipped straight-through estimator',
  activation: binarizeActivation(straightThrough),
  structure: { ...bnn.structure, activation: 'none' },
});

/** Stochastic activations while training (eq. 2). */
export const bnnStochastic: Method = defineMethod({
  ...bnn,
  id: 'bnn-stochastic',
  title: 'BNN, stochastic activations',
  activation: stochasticActivation(clippedSte),
});

const tenths = Array.from({ length: 9 }, (_, i) => (i + 1) / 10);

/** Shift-based: every multiplication of batch-norm and of AdaMax is by a power of two (sec. 3.3-3.4, alg. 3-4). */
export const bnnShift: Method = defineMethod({
  ...bnn,
  id: 'bnn-shift',
  title: 'BNN, shift-based batch-norm and AdaMax',
  structure: { ...bnn.structure, shiftNorm: true },
  // halved every 50 epochs, as in the authors' Torch code
  defaults: { ...bnn.defaults, optimizer: shiftAdamax(), rate: steps(tenths, 0.5) },
});
