import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, straightThrough } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAtRandom } from '../binarize/learned-scale.ts';
import { sampleStandardised } from '../binarize/sample-norm.ts';
import { clampWeights, multiplyWeights, standardiseWithFloor, type WeightTransform } from '../binarize/transforms.ts';
import { compose } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine, warmUp } from '../optim/schedules.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';

const [firstTau, lastTau] = [0.85, 0.99];

/** tau from 0.85 to 0.99, faster and faster: A e^progress + B. */
const tauAt = (progress: number): number => {
  const slope = (lastTau - firstTau) / (Math.E - 1);
  return slope * Math.exp(progress) + firstTau - slope;
};

/** The tau-quantile of |w| for Laplace weights, -mean|w| ln(2 - 2 tau): beyond it weights are dead (Xu 2021, eq. 9). */
export function laplaceQuantile(w: Tensor, tau: number): number {
  const total = new Float32Array(1);
  kernels().columnAbsSums(w.data, total, w.size, 1);
  return -(total[0]! / w.size) * Math.log(2 - 2 * tau);
}

/** @param standardised how filters are, before they are clamped */
export const clampedWeights = (standardised: WeightTransform) =>
  compose(
    standardised,
    multiplyWeights(2 * Math.SQRT2),
    clampWeights((w, context) => laplaceQuantile(w, context.value('tau', firstTau))),
    binarizeWithLearnedScale({ estimator: straightThrough, start: startAtRandom, weightGradient: 'through' }),
  );

/**
 * ReCU: revives dead weights by clamping the standardised latent weights to their tau-quantile, tau from 0.85 to 0.99; a learned
 * scale per channel; activations divided by their spread while training (Xu et al., ICCV 2021, eq. 8-13).
 */
export const recu = defineMethod({
  id: 'recu',
  revision: 3,
  title: 'ReCU',
  paper: 'Xu et al., ICCV 2021',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: clampedWeights(standardiseWithFloor),
  activation: sampleStandardised({ centred: false, quantizer: binarizeActivation(approxSign) }),
  schedule: ({ progress }) => ({ tau: tauAt(progress) }),
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'hardtanh',
    head: 'norm',
    downsample: 'average',
    scaleInvariantWeights: true,
  },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
    rate: warmUp(5, cosine()),
    epochs: 600,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'all',
  },
});
