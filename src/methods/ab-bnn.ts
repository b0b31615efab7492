import { kernels } from '../backend/select.ts';
import type { Estimator } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { filterMean, scaleColumns } from '../binarize/scales.ts';
import { binaryWeights, withFloatForm } from '../binarize/stages.ts';
import { compose, signFilterOf } from '../binarize/weights.ts';
import { unitFilters } from '../nn/norm-free.ts';
import { adam } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { channelScale } from '../tensor/ops/channel.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';
import { shiftedSign } from './react-net.ts';

/** Slope 2 * 3 sigmoid(3x) (1 - sigmoid(3x)) = 1.5 (1 - tanh(1.5 x)^2) (Ma 2024, eq. 5). */
const sigmoidSlope: Estimator = { id: 'sigmoid', slope: 'tanh-ste', parameters: () => [1.5, 1] };

/** gain_c mean|w_c| sign(w), the gain learned, mean|w| a constant to the gradient, which passes where |w| <= 1; float in the first stage. */
const gained: Quantizer<SignFilter | Tensor> = learning(
  ({ weight }) => ({ learned: { gain: { values: new Float32Array(weight.channels).fill(1) } } }),
  (w, context, { learned }) => {
    const gain = learned['gain']!;
    if (context.value(binaryWeights, 1) === 0) return channelScale(w, gain);
    const mean = filterMean(w);
    const alpha = floats(w.channels);
    kernels().multiply(mean, gain.data, alpha);
    const filter = signFilterOf(w, alpha);
    const backward = (g: Float32Array) => [
      gradientOf(w, (dw) => {
        kernels().unaryBackward('clip-ste', w.data, g, dw, 1, 0);
        scaleColumns(dw, gain.data, dw, w.rows);
      }),
      gradientOf(gain, (dgain) => {
        const signs = floats(w.size);
        kernels().unary('clip-ste', w.data, signs);
        kernels().columnDots(g, signs, dgain, w.rows, w.channels);
        kernels().multiply(dgain, mean, dgain);
        release(signs);
      }),
    ];
    return record('binarizeWeights', [w, gain], filter, backward, { saved: [filter.words, alpha, mean] });
  },
);

const rate = 1e-3;

/**
 * A&B BNN: additions and bit operations only. No batch-norm: filters have mean 0 and norm 1, what joins a shortcut is a quarter, and what
 * enters a sign is divided by its expected spread; the slopes of RPReLU are powers of two, learned by their exponents. Two trainings: binary activations
 * with float weights that decay, then both without decay (Ma et al., CVPR 2024, eq. 3-9, and the authors' code). Of ResNets, VGGs and MLPs; topologies with norms of their
 * own keep these.
 */
export const abBnn = defineMethod({
  id: 'ab-bnn',
  revision: 2,
  title: 'A&B BNN',
  paper: 'Ma et al., CVPR 2024',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: withFloatForm(compose(unitFilters, gained)),
  activation: shiftedSign.withEstimator!(sigmoidSlope),
  clippedWeightEstimator: true,
  stages: [
    {
      name: 'activations',
      epochs: 256,
      binary: 'activations',
      defaults: { optimizer: adam({ rate, weightDecay: 5e-6 }) },
    },
    { name: 'both', epochs: 256, binary: 'both' },
  ],
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'shift-rprelu',
    normFree: { branch: 0.25 },
    scaleInvariantWeights: true,
  },
  defaults: {
    optimizer: adam({ rate }),
    rate: linear(),
    epochs: 512,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    adaptiveClip: 0.001,
  },
});
