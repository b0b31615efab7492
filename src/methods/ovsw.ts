import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, straightThrough } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { sampleStandardised } from '../binarize/sample-norm.ts';
import type { Scale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { columnNorms } from '../core/column-norms.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine, warmUp } from '../optim/schedules.ts';
import { floats } from '../tensor/storage.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod, type UpdateRule } from './method.ts';

/** A filter's gradient is at least this share of its weights' norm (delta), in the authors' runs on CIFAR-10. */
const leastShare = 0.04;
/** Flips are averaged over about a thousand steps; below the threshold a weight is silent, and decays. */
const [memory, silentBelow, silentDecay] = [0.999, 1e-4, 9e-4];

/** alpha_c = mean|w_c - mean|/spread of the filter: sign(w) as large as its standardised weights. A constant to the gradient. */
export const standardisedMean: Scale = (w) => {
  const alpha = floats(w.channels);
  for (let c = 0; c < w.channels; c++) {
    let [total, squares, distance] = [0, 0, 0];
    for (let i = c; i < w.size; i += w.channels) total += w.data[i]!;
    const mean = total / w.rows;
    for (let i = c; i < w.size; i += w.channels) {
      squares += (w.data[i]! - mean) ** 2;
      distance += Math.abs(w.data[i]! - mean);
    }
    alpha[c] = distance / w.rows / Math.sqrt(squares / Math.max(1, w.rows - 1) + 1e-5);
  }
  return alpha;
};

const scaled = binarizeWeights({ scale: standardisedMean, estimator: straightThrough, scaleGradient: 'detached' });

/** sign(w), with what flips are counted by: the weights before the last update, and the running share of steps with a flip. */
const tracked: Quantizer<SignFilter> = learning(
  ({ weight }) => ({ kept: { before: weight.data.slice(), flips: new Float32Array(weight.size) } }),
  (w, context) => scaled(w, context),
);

/** Adaptive gradient scaling: filters whose gradient is below `leastShare` of their norm get that much (Xiang 2024, eq. 12). */
export function scaleUp(gradient: Float32Array, { data, channels }: Pick<Tensor, 'data' | 'channels'>): void {
  const [ofGradient, ofWeights] = [columnNorms(gradient, channels), columnNorms(data, channels)];
  for (let c = 0; c < channels; c++) {
    const [small, large] = [Math.max(ofGradient[c]!, 1e-6), Math.max(ofWeights[c]!, 1e-3)];
    if (small / large >= leastShare) continue;
    const factor = (leastShare * large) / small;
    for (let i = c; i < data.length; i += channels) gradient[i]! *= factor;
  }
}

/** Silence awareness decaying: counts flips, and lets weights that hardly ever flip decay (eq. 13-15). */
export function decaySilent(gradient: Float32Array, w: Float32Array, before: Float32Array, flips: Float32Array): void {
  for (let i = 0; i < w.length; i++) {
    const flipped = Math.sign(w[i]!) !== Math.sign(before[i]!);
    flips[i] = memory * flips[i]! + (flipped ? 1 - memory : 0);
    if (flips[i]! < silentBelow) gradient[i]! += silentDecay * w[i]!;
  }
  before.set(w);
}

const overcomingSilence: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight, kept } of layers) {
      if (!weight.grad) continue;
      scaleUp(weight.grad, weight);
      decaySilent(weight.grad, weight.data, kept['before']!.data, kept['flips']!.data);
    }
  },
};

/**
 * OvSW: most weights of a binary network never change their sign. Gradients too small for the weights they move are scaled up, and weights
 * that do not flip decay (Xiang et al., ECCV 2024, eq. 12-15, and the authors' code).
 */
export const ovsw = defineMethod({
  id: 'ovsw',
  title: 'OvSW',
  paper: 'Xiang et al., ECCV 2024',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: tracked,
  activation: sampleStandardised({ centred: false, constant: true, quantizer: binarizeActivation(approxSign) }),
  update: overcomingSilence,
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'hardtanh', head: 'norm', downsample: 'average' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
    rate: warmUp(5, cosine()),
    epochs: 600,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { rate: 'epoch' },
    decay: 'all',
  },
});
