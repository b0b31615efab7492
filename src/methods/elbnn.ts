import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { learning } from '../binarize/quantizer.ts';
import { layerMean, meanMagnitude } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type UpdateRule } from './method.ts';

/** Weight of the augmented term. */
const rho = 1e-3;
/** After this share weights are what they were projected to, and everything else goes on learning. */
const freezeAt = 0.8;

/** The nearest {-alpha, +alpha} of a layer: alpha = mean|v|, the codes are signs; already there it changes nothing (Leng 2018, eq. 9-12). */
export function projectBinary(v: Float32Array, out: Float32Array): void {
  const alpha = meanMagnitude(v);
  for (let i = 0; i < v.length; i++) out[i] = v[i]! < 0 ? -alpha : alpha;
}

/**
 * ADMM: weights follow the loss plus rho/2 ||w - G + lambda||^2, each step by extragradient (a step to look, then one from the old place with
 * the new gradient); at the start of an epoch G is projected anew and lambda collects what is left.
 */
const admm: UpdateRule = {
  beforeStep: (layers, { epoch, progress, step }) => {
    for (const { weight, kept } of layers) {
      const [target, dual, anchor, last] = ['target', 'dual', 'anchor', 'epoch'].map((name) => kept[name]!.data) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      if (Math.floor(epoch) > last[0]!) {
        const sum = weight.data.map((w, i) => w + dual[i]!);
        projectBinary(sum, target);
        for (let i = 0; i < dual.length; i++) dual[i]! += weight.data[i]! - target[i]!;
        last[0] = Math.floor(epoch);
      }
      if (!weight.grad) continue;
      if (progress >= freezeAt) {
        weight.grad.fill(0);
        continue;
      }
      for (let i = 0; i < weight.size; i++) weight.grad[i]! += rho * (weight.data[i]! - target[i]! + dual[i]!);
      // odd steps look ahead, even ones go back to where they looked from
      if (step % 2 === 1) anchor.set(weight.data);
      else weight.data.set(anchor);
    }
  },
  afterStep: (layers, { progress }) => {
    if (progress >= freezeAt) for (const { weight } of layers) projectBinary(weight.data, weight.data);
  },
};

const signs = binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' });

/**
 * ELBNN: extremely low bit networks by ADMM; float weights learn under a growing pull towards their projection onto {-alpha, +alpha}, then
 * take it (Leng et al., AAAI 2018, alg. 1; survey [121]).
 */
export const elbnn = defineMethod({
  id: 'elbnn',
  title: 'Extremely Low Bit Networks by ADMM',
  paper: 'Leng et al., AAAI 2018',
  family: 'quantization-error',
  bits: { weight: 1, activation: 32 },
  weight: learning(
    ({ weight }) => ({
      kept: {
        target: new Float32Array(weight.size),
        dual: new Float32Array(weight.size),
        anchor: new Float32Array(weight.size),
        epoch: Float32Array.of(-1),
      },
    }),
    (w, context) => (context.value('frozen', 1) === 0 ? w : signs(w, context)),
  ),
  activation: floatActivation,
  update: admm,
  schedule: ({ progress }) => ({ frozen: progress < freezeAt ? 0 : 1 }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: steps([0.5, 0.75], 0.1),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
