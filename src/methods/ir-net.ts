import { binarizeActivation } from '../binarize/activations.ts';
import { errorDecay } from '../binarize/estimators.ts';
import { powerOfTwoMean } from '../binarize/scales.ts';
import { standardise } from '../binarize/transforms.ts';
import { binarizeWeights, compose } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { defineMethod, type Method, type ModelRecipe } from './method.ts';

const lastT = 10;

/** t grows geometrically from `firstT` to 10 over the training; from t = 1 on the slope narrows and fewer weights move. */
export const slopeFrom =
  (firstT: number) =>
  ({ progress }: { progress: number }) => ({ t: firstT * (lastT / firstT) ** progress });

const cifarResnet: ModelRecipe = { schedule: slopeFrom(0.001), structure: { classifierStart: 'he' } };
const vggSmall: ModelRecipe = {
  defaults: { optimizer: sgd({ rate: 0.007, momentum: 0.9, weightDecay: 1e-4 }), epochs: 300 },
};

/**
 * IR-Net: Libra parameter binarization (balanced, standardised weights, power-of-two scale) keeps information forward, the error
 * decay estimator backward (Qin et al., CVPR 2020, eq. 5-9; survey [96]). t runs from 0.1 to 10, as in the paper; on CIFAR's ResNets from 0.001,
 * as in the code, so that the wide slope lasts for three quarters of the training, not half. Like the rate it moves once an epoch.
 */
export const irNet = defineMethod({
  id: 'ir-net',
  revision: 2,
  title: 'IR-Net',
  paper: 'Qin et al., CVPR 2020',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: compose(
    standardise,
    binarizeWeights({ scale: powerOfTwoMean, estimator: errorDecay, scaleGradient: 'detached' }),
  ),
  activation: binarizeActivation(errorDecay),
  schedule: slopeFrom(0.1),
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'hardtanh',
    head: 'norm',
    scaleInvariantWeights: true,
  },
  recipes: { resnet20: cifarResnet, resnet32: cifarResnet, resnet44: cifarResnet, 'vgg-small': vggSmall },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 400,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'all',
  },
});

/** With t from 0.001 on every model. */
export const irNetResnet20: Method = defineMethod({
  ...irNet,
  id: 'ir-net-resnet20',
  title: 'IR-Net, t from 0.001',
  schedule: slopeFrom(0.001),
});
