import { floatActivation } from '../binarize/activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import type { FilterSum } from '../binarize/terms.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { scale } from '../tensor/ops/arithmetic.ts';
import { klDivergence } from '../tensor/ops/distillation.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';

const temperature = 2;
const [softWeight, hardWeight] = [0.7, 0.3];

const distilled: LossTerm = ({ logits, teacher }) =>
  scale(klDivergence(logits, teacher!.logits, temperature), softWeight * temperature ** 2);

/** Least and largest weight of every filter. */
function filterRanges(w: Tensor): { least: Float32Array; largest: Float32Array } {
  const [least, largest] = [floats(w.channels).fill(Infinity), floats(w.channels).fill(-Infinity)];
  for (let i = 0; i < w.size; i++) {
    const c = i % w.channels;
    least[c] = Math.min(least[c]!, w.data[i]!);
    largest[c] = Math.max(largest[c]!, w.data[i]!);
  }
  return { least, largest };
}

/** Signs of w - border[c], times half the distance of two values, around their middle. */
function twoValued(w: Tensor, border: Float32Array, half: Float32Array, middle: Float32Array) {
  const shifted = emptyTensor(w.shape);
  for (let i = 0; i < w.size; i++) shifted.data[i] = w.data[i]! - border[i % w.channels]!;
  const filter = signFilterOf(shifted, half);
  release(shifted.data);
  return { filter, offset: new Tensor(middle, [w.channels]) };
}

/** One bit a filter, scaled linearly: the nearer of its least and its largest weight; the gradient passes unchanged. */
export const leastOrLargest: Quantizer<FilterSum> = (w) => {
  const { least, largest } = filterRanges(w);
  const [half, middle] = [floats(w.channels), floats(w.channels)];
  for (let c = 0; c < half.length; c++) {
    half[c] = (largest[c]! - least[c]!) / 2;
    middle[c] = (largest[c]! + least[c]!) / 2;
  }
  const { filter, offset } = twoValued(w, middle, half, middle);
  return { filters: [record('binarizeWeights', [w], filter, (g) => [g], { saved: [filter.words, half] })], offset };
};

/** dL/dp_j = sum over the weights at p_j of their filter's range times G; weights stay as they are. */
const learnedPoints: Quantizer<FilterSum> = learning(
  () => ({ learned: { points: { values: Float32Array.of(0.25, 0.75) } } }),
  (w, _context, { learned }) => {
    const points = learned['points']!;
    const [low, high] = [Math.min(...points.data), Math.max(...points.data)];
    const { least, largest } = filterRanges(w);
    const [half, middle] = [floats(w.channels), floats(w.channels)];
    for (let c = 0; c < half.length; c++) {
      const range = largest[c]! - least[c]!;
      half[c] = (range * (high - low)) / 2;
      middle[c] = least[c]! + (range * (high + low)) / 2;
    }
    const { filter, offset } = twoValued(w, middle, half, middle);
    const backward = (g: Float32Array) => [
      gradientOf(points, (dp) => {
        dp.fill(0);
        const highest = points.data[1]! >= points.data[0]! ? 1 : 0;
        for (let i = 0; i < w.size; i++) {
          const c = i % w.channels;
          const j = w.data[i]! >= middle[c]! ? highest : 1 - highest;
          dp[j]! += (largest[c]! - least[c]!) * g[i]!;
        }
      }),
    ];
    return { filters: [record('binarizeWeights', [points], filter, backward)], offset };
  },
);

/**
 * Quantized distillation: the gradient of a distilled loss, taken at linearly quantized weights, moves float ones; one bit per weight, two
 * values per filter (Polino et al., ICLR 2018, alg. 1; survey [81]). The paper buckets weights by 256 across filters, which no filter-wise
 * kernel can run.
 */
export const quantizedDistillation = defineMethod({
  id: 'dq',
  title: 'Quantized distillation',
  paper: 'Polino et al., ICLR 2018',
  family: 'loss',
  bits: { weight: 1, activation: 32 },
  weight: leastOrLargest,
  activation: floatActivation,
  teacher: 'trained',
  classificationWeight: hardWeight,
  lossTerms: [distilled],
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

/**
 * Differentiable quantization: weights keep their places, the two quantization points of a layer are learned (alg. 2); start from float
 * weights with `--init`.
 */
export const differentiableQuantization: Method = defineMethod({
  ...quantizedDistillation,
  id: 'dq-points',
  title: 'Differentiable quantization points',
  weight: learnedPoints,
});
