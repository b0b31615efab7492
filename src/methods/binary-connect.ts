import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { noScale } from '../binarize/scales.ts';
import { binarizeWeights, stochasticWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { exponential } from '../optim/schedules.ts';
import { defineMethod, type Method } from './method.ts';

/**
 * BinaryConnect: weights sign(w) in both passes, float activations; the gradient of the binary weight is applied to the latent
 * weight, which is clipped to [-1,1] (Courbariaux et al., NeurIPS 2015, alg. 1; survey [59]).
 */
export const binaryConnect = defineMethod({
  id: 'binary-connect',
  title: 'BinaryConnect, deterministic',
  paper: 'Courbariaux et al., NeurIPS 2015',
  family: 'naive',
  bits: { weight: 1, activation: 32 },
  weight: binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' }),
  activation: floatActivation,
  latent: 'glorot',
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', firstLast: 'binary' },
  defaults: {
    optimizer: adam({ rate: 3e-3 }),
    rate: exponential(2e-6 / 3e-3),
    clock: { rate: 'epoch' },
    epochs: 500,
    batch: 50,
    loss: 'squared-hinge',
    clipLatent: true,
    augmentation: 'none',
  },
});

/** The stochastic form: +1 with probability clip((w+1)/2, 0, 1) while training (eq. 2-3; survey eq. 6-7). */
export const binaryConnectStochastic: Method = defineMethod({
  ...binaryConnect,
  id: 'binary-connect-stochastic',
  title: 'BinaryConnect, stochastic',
  weight: stochasticWeights(noScale),
});

/**
 * Tested with its float weights, the paper's third way (sec. 2.6): the noise of binarization has then only regularised the training.
 */
export const binaryConnectFloatTest: Method = defineMethod({
  ...binaryConnectStochastic,
  id: 'binary-connect-float-test',
  title: 'BinaryConnect, stochastic, tested with float weights',
  weight: (w, context, own) => (context.training ? binaryConnectStochastic.weight(w, context, own) : w),
  floatPacked: 'its test-time weights are the float ones',
});
