import { binarizeActivation } from '../binarize/activations.ts';
import { errorDecay } from '../binarize/estimators.ts';
import { powerOfTwoMean } from '../binarize/scales.ts';
import { binarizeWeights, compose, standardise } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

const firstT = 0.1;
const lastT = 10;

/**
 * IR-Net: Libra parameter binarization (balanced, standardised weights, power-of-two scale) keeps information forward, the error
 * decay estimator backward (Qin et al., CVPR 2020, eq. 5-9; survey [96]). t runs from 0.1 (paper; the ResNet-20 code says
 * 0.001) to 10 geometrically.
 */
export const irNet = defineMethod({
  id: 'ir-net',
  title: 'IR-Net',
  paper: 'Qin et al., CVPR 2020',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: compose(
    standardise,
    binarizeWeights({ scale: powerOfTwoMean, estimator: errorDecay, scaleGradient: 'detached' }),
  ),
  activation: binarizeActivation(errorDecay),
  schedule: ({ progress }) => ({ t: firstT * (lastT / firstT) ** progress }),
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'hardtanh', scaleInvariantWeights: true },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 400,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
