import { straightThrough } from '../binarize/estimators.ts';
import { unitActivation } from '../binarize/level-activations.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { layerMean } from '../binarize/scales.ts';
import type { ActivationBits, WeightBits } from '../binarize/terms.ts';
import { binarizeWeights, tanhLevels } from '../binarize/weights.ts';
import type { Ties } from '../exact/unit-levels.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { meanSquaredError } from '../tensor/ops/distillation.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { dorefaNet } from './dorefa.ts';
import { oneForm } from './forms.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';

/** Bits of a fifth of the training each. */
const ladder = [32, 8, 4, 2, 1] as const;
/** Activations follow weights half a stage later: weights first, as in the two-stage training of the paper. */
const delay = 0.5;

const oneBit = binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' });

/** The quantizer of as many bits as the schedule says. */
function byBits<Out>(name: string, make: (bits: number) => Quantizer<Out>): Quantizer<Out> {
  const made = new Map<number, Quantizer<Out>>(ladder.map((bits) => [bits, make(bits)]));
  return (x, context, own) => made.get(context.value(name, 1))!(x, context, own);
}

/** @param ties 'up' in revision 1 */
export const activationLadder = (ties?: Ties): Quantizer<ActivationBits> =>
  byBits('activationBits', (bits) => (bits === 32 ? (x) => x : unitActivation(bits, ties)));

const rung = (place: number) => ladder[Math.max(0, Math.min(ladder.length - 1, Math.floor(place)))]!;

/**
 * Stepping bit-width: the same network is trained at 32, 8, 4, 2 and 1 bits, each stage from the weights of the one before, weights ahead of
 * activations (Zhuang et al., CVPR 2018, sec. 3.2-3.3; survey [125]).
 */
export const stepping = defineMethod({
  id: 'stepping',
  revision: 2,
  title: 'Stepping bit-width, 32 to 1',
  paper: 'Zhuang et al., CVPR 2018',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: byBits<WeightBits>('weightBits', (bits) => (bits === 1 ? oneBit : bits === 32 ? (w) => w : tanhLevels(bits))),
  activation: activationLadder(),
  schedule: ({ progress }) => ({
    weightBits: rung(progress * ladder.length),
    activationBits: rung(progress * ladder.length - (progress < 1 - delay / ladder.length ? delay : 0)),
  }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

/** Weight of the distance between the two networks' features. */
const guidance = 0.5;

/** Half the squared distance of what enters the last two binary layers of both networks, which also learns from its labels. */
const guided: LossTerm = ({ layers, labels, mixed, teacher }) => {
  const taps = layers.slice(-2).map(({ input }, i) => {
    const theirs = teacher!.layers.slice(-2)[i]!.input;
    return scale(meanSquaredError(input, theirs), guidance / 2);
  });
  return taps.reduce(add, softmaxCrossEntropy(teacher!.logits, labels, 0, mixed));
};

/**
 * Guided training: a float network and a 1-bit one learn together and pull each other's features near (sec. 3.4). The paper quantizes the
 * float features for the distance; here they are compared as they are.
 */
export const guidedTraining: Method = defineMethod({
  ...oneForm(dorefaNet({ weight: 1, activation: 1 })),
  id: 'guided',
  title: 'Guided training with a float network',
  paper: 'Zhuang et al., CVPR 2018',
  family: 'gradient-error',
  teacher: 'joint',
  lossTerms: [guided],
});
