import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type Method } from './method.ts';

/**
 * XNOR-Net: BWN weights and binary activations; the output is (sign(x) conv sign(w)) * K * alpha, K the box-filtered channel mean
 * of |x|, a constant for the backward pass; blocks are BN, sign, conv, pool (Rastegari et al., ECCV 2016, eq. 10-11, sec. 3.2; survey [58]).
 */
export const xnorNet = defineMethod({
  id: 'xnor-net',
  title: 'XNOR-Net with activation scaling K',
  paper: 'Rastegari et al., ECCV 2016',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
  activation: binarizeActivation(clippedSte),
  clippedWeightEstimator: true,
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none', activationScale: true },
  defaults: {
    optimizer: adam({ rate: 1e-3, weightDecay: 1e-5 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

/** Without K, as most re-implementations train it: the packed network needs no run-time statistics. */
export const xnorNetNoK: Method = defineMethod({
  ...xnorNet,
  id: 'xnor-net-no-k',
  title: 'XNOR-Net without K',
  structure: { ...xnorNet.structure, activationScale: false },
});
