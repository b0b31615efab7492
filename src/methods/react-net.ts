import { signActivation } from '../binarize/activations.ts';
import { approxSign, clippedSte } from '../binarize/estimators.ts';
import { estimated, learning } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import { binaryWeights, floatUntil } from '../binarize/stages.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { scale, sum } from '../tensor/ops/arithmetic.ts';
import { channelShift } from '../tensor/ops/channel.ts';
import { softCrossEntropy } from '../tensor/ops/distillation.ts';
import type { SignTensor } from '../tensor/tensor.ts';
import { defineMethod, type LossTerm } from './method.ts';

/** RSign: sign(x + m_c), m learned per channel through ApproxSign's slope (Liu 2020, eq. 3-4). */
export const shiftedSign = estimated(
  (estimator) =>
    learning<SignTensor>(
      ({ input }) => ({ learned: { threshold: { values: new Float32Array(input.at(-1)!) } } }),
      (x, context, { learned }) => signActivation(channelShift(x, learned['threshold']!), estimator, context),
    ),
  approxSign,
);

/** Given a teacher, its outputs are all that is learned (eq. 6); the labels otherwise. */
const distributional: LossTerm = ({ logits, teacher }) =>
  teacher ? softCrossEntropy(logits, teacher.logits) : scale(sum(logits), 0);

/** Of the authors' ResNet-18. */
const rate = 2.5e-3;

/**
 * ReActNet: signs with learned thresholds and PReLUs between learned shifts, on a Bi-Real structure. Two trainings, each with the whole linear rate and
 * the same teacher: binary activations with float weights that decay, then both without decay (Liu et al., ECCV 2020, eq. 3-6 and sec. 4.3, and the
 * authors' code).
 */
export const reactNet = defineMethod({
  id: 'react-net',
  revision: 2,
  title: 'ReActNet',
  paper: 'Liu et al., ECCV 2020',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: floatUntil(
    binaryWeights,
    binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'straight' }),
  ),
  activation: shiftedSign,
  teacher: 'optional',
  classificationWeight: 0,
  lossTerms: [distributional],
  clippedWeightEstimator: true,
  stages: [
    {
      name: 'activations',
      epochs: 128,
      binary: 'activations',
      defaults: { optimizer: adam({ rate, weightDecay: 1e-5 }) },
    },
    { name: 'both', epochs: 128, binary: 'both' },
  ],
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'rprelu' },
  defaults: {
    optimizer: adam({ rate }),
    rate: linear(),
    epochs: 256,
    batch: 512,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { rate: 'epoch' },
  },
});
