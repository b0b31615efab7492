import { signActivation } from '../binarize/activations.ts';
import { approxSign, clippedSte } from '../binarize/estimators.ts';
import { estimated, learning } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import { floatUntil } from '../binarize/stages.ts';
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

/**
 * ReActNet: signs with learned thresholds and PReLUs between learned shifts, on a Bi-Real structure; activations are binarized in
 * the first half of the training, weights too in the second (Liu et al., ECCV 2020, eq. 3-6 and sec. 4.3).
 */
export const reactNet = defineMethod({
  id: 'react-net',
  title: 'ReActNet',
  paper: 'Liu et al., ECCV 2020',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: floatUntil(
    'binaryWeights',
    binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'straight' }),
  ),
  activation: shiftedSign,
  teacher: 'optional',
  classificationWeight: 0,
  lossTerms: [distributional],
  clippedWeightEstimator: true,
  schedule: ({ progress }) => ({ binaryWeights: progress < 0.5 ? 0 : 1 }),
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'rprelu' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: linear(),
    epochs: 256,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { rate: 'epoch' },
  },
});
