import { floatActivation } from '../binarize/activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';

const largestExponent = 10;
const [temperaturePerEpoch, largestTemperature] = [20, 2000];
const rangeFactor = 1.25;

const logistic = (x: number) => 1 / (1 + Math.exp(-Math.max(-largestExponent, Math.min(largestExponent, x))));

/**
 * alpha (2 logistic(T beta w) - 1): two sigmoid steps at 0, levels -1, 0, 1; its slope is taken with T = 1 and multiplied by T, as the
 * authors' code does for binary weights.
 */
function sigmoidSteps(w: Tensor, alpha: Tensor, beta: Tensor, temperature: number): Tensor {
  const [a, b] = [alpha.data[0]!, beta.data[0]!];
  const y = emptyTensor(w.shape);
  for (let i = 0; i < y.size; i++) y.data[i] = a * (2 * logistic(temperature * b * w.data[i]!) - 1);
  const slope = (i: number) => {
    const gate = logistic(b * w.data[i]!);
    return 2 * temperature * gate * (1 - gate);
  };
  const total = (g: Float32Array, part: (i: number) => number) => g.reduce((sum, value, i) => sum + value * part(i), 0);
  const backward = (g: Float32Array) => [
    gradientOf(w, (dw) => {
      for (let i = 0; i < dw.length; i++) dw[i] = g[i]! * a * b * slope(i);
    }),
    gradientOf(alpha, (d) => d.fill(total(g, (i) => y.data[i]! / a))),
    gradientOf(beta, (d) => d.fill(total(g, (i) => a * w.data[i]! * slope(i)))),
  ];
  return record('sigmoidSteps', [w, alpha, beta], y, backward);
}

const sigmoidWeights: Quantizer<SignFilter | Tensor> = learning(
  ({ weight }) => {
    const largest = weight.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    const beta = rangeFactor / largest;
    return { learned: { alpha: { values: Float32Array.of(1 / beta) }, beta: { values: Float32Array.of(beta) } } };
  },
  (w, context, { learned }) => {
    const [alpha, beta] = [learned['alpha']!, learned['beta']!];
    if (context.training) return sigmoidSteps(w, alpha, beta, context.value('temperature', temperaturePerEpoch));
    return record('binarizeWeights', [w], signFilterOf(w, floats(w.channels).fill(alpha.data[0]!)), (g) => [g]);
  },
);

/**
 * Quantization Networks: quantization as a sum of sigmoid steps that steepen from epoch to epoch and become hard at test time
 * (Yang et al., CVPR 2019, eq. 3-7; survey [93]).
 * Like its reference it starts from a trained float network.
 */
export const quantizationNetworks = defineMethod({
  id: 'quantization-networks',
  start: 'float',
  title: 'Quantization Networks',
  paper: 'Yang et al., CVPR 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 32 },
  weight: sigmoidWeights,
  activation: floatActivation,
  schedule: ({ epoch }) => ({
    temperature: Math.min(largestTemperature, temperaturePerEpoch * (Math.floor(epoch) + 1)),
  }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: sgd({ rate: 1e-3, momentum: 0.9, weightDecay: 1e-4 }),
    rate: steps([25 / 35, 30 / 35], 0.1),
    epochs: 35,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
