import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, straightThrough } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAtRandom } from '../binarize/learned-scale.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { sampleStandardised } from '../binarize/sample-norm.ts';
import { filterMean } from '../binarize/scales.ts';
import { binaryWeights, withFloatForm } from '../binarize/stages.ts';
import type { WeightTransform } from '../binarize/transforms.ts';
import { compose } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine, warmUp } from '../optim/schedules.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { channelScale } from '../tensor/ops/channel.ts';
import { floats } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { type SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod, type LossTerm, type Stage } from './method.ts';

const frequency = 20;
/** Weight of the regulariser in either stage. */
const [firstTau, lastTau] = [0.037, 0.0468];

/** sin(omega w), the wave whose sign the weights are (Vargas 2024, eq. 5-6). */
export const wave: WeightTransform = (w) => {
  const y = emptyTensor(w.shape);
  for (let i = 0; i < y.size; i++) y.data[i] = Math.sin(frequency * w.data[i]!);
  const backward = (dy: Float32Array) => {
    for (let i = 0; i < dy.length; i++) dy[i]! *= frequency * Math.cos(frequency * w.data[i]!);
    return [dy];
  };
  return record('wave', [w], y, backward);
};

const squareWave = binarizeWithLearnedScale({
  estimator: straightThrough,
  start: startAtRandom,
  weightGradient: 'through',
});

/** alpha times the wave itself in the first stage, alpha times its sign in the second. */
const staged: Quantizer<SignFilter | Tensor> = learning(squareWave.start!, (s, context, own) =>
  context.value(binaryWeights, 1) === 0 ? channelScale(s, own.learned['weightScale']!) : squareWave(s, context, own),
);

/** mean sin(omega w)^2 = mean (1 - cos(2 omega w))/2, one number, with its gradient (the authors' code). */
export function waveEnergy(w: Tensor): Tensor {
  let total = 0;
  for (const value of w.data) total += Math.sin(frequency * value) ** 2;
  const backward = (g: Float32Array) => {
    const dw = floats(w.size);
    for (let i = 0; i < dw.length; i++) dw[i] = (g[0]! * frequency * Math.sin(2 * frequency * w.data[i]!)) / w.size;
    return [dw];
  };
  return record('waveEnergy', [w], new Tensor(floats(1).fill(total / w.size), [1]), backward);
}

const regulariser: LossTerm = ({ layers, context }) =>
  scale(layers.map(({ layer }) => waveEnergy(layer.weight)).reduce(add), context.value('tau', lastTau));

/** alpha_c = mean |w_c|: the second training begins with it (the authors' code). */
const scaleAnew: NonNullable<Stage['begin']> = (layers) => {
  for (const { weight, learned } of layers) learned['weightScale']?.data.set(filterMean(weight));
};

/**
 * BiPer: weights are the square wave sign(sin(20 w)), whose surrogate is the sine itself. Two trainings: binary activations under the real wave,
 * then its signs; the rates are those of the authors' ResNet-18 (Vargas et al., CVPR 2024, eq. 5-9, and the authors' code).
 */
export const biper = defineMethod({
  id: 'biper',
  revision: 2,
  title: 'BiPer',
  paper: 'Vargas et al., CVPR 2024',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: withFloatForm(compose(wave, staged)),
  activation: sampleStandardised({ centred: false, quantizer: binarizeActivation(approxSign) }),
  lossTerms: [regulariser],
  schedule: () => ({ tau: lastTau }),
  stages: [
    { name: 'real wave', epochs: 600, binary: 'activations', schedule: () => ({ tau: firstTau }) },
    {
      name: 'square wave',
      epochs: 300,
      binary: 'both',
      defaults: { optimizer: sgd({ rate: 0.0037, momentum: 0.9, weightDecay: 1.6e-4 }) },
      begin: scaleAnew,
    },
  ],
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'hardtanh', head: 'norm', downsample: 'average' },
  defaults: {
    optimizer: sgd({ rate: 0.021, momentum: 0.9, weightDecay: 1.6e-3 }),
    rate: warmUp(5, cosine()),
    epochs: 900,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'all',
  },
});
