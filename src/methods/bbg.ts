import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { centre } from '../binarize/transforms.ts';
import { binarizeWeights, compose } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { defineMethod } from './method.ts';

/**
 * BBG: balanced weights, centred per filter so that half of the bits are +1 (maximum entropy), and a gated residual, the shortcut
 * times a learned factor per channel (Shen et al., ICASSP 2020, eq. 4-9; survey [78]).
 */
export const bbg = defineMethod({
  id: 'bbg',
  title: 'Balanced Binary Networks with Gated Residual',
  paper: 'Shen et al., ICASSP 2020',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: compose(centre, binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'detached' })),
  activation: binarizeActivation(clippedSte),
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'hardtanh', gatedShortcut: true },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 400,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
