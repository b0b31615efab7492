import { straightThrough } from '../binarize/estimators.ts';
import { quantizeToPlanes } from '../binarize/level-activations.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { nextFloat, plainCodes } from '../core/level-codes.ts';
import { sgd } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import type { PlaneTensor } from '../tensor/tensor.ts';
import { defineMethod, type Method } from './method.ts';

/** Best uniform steps of Lloyd's quantizer for the positive half of N(0,1), by number of positive levels. */
const lloydSteps = { 1: 0.7979, 3: 0.538 } as const;

/**
 * Half-wave Gaussian quantization: 0 for x <= 0, else the nearest of step, 2 step, ...; backwards a clipped ReLU, slope 1 on (0, qmax].
 *
 * Source: Cai 2017 (HWGQ), eq. 12-15.
 */
export function halfWave(positiveLevels: 1 | 3): Quantizer<PlaneTensor> {
  const step = lloydSteps[positiveLevels];
  const codes = plainCodes(
    Float32Array.from({ length: positiveLevels }, (_, i) => (i === 0 ? nextFloat(0) : (i + 0.5) * step)),
  );
  return (x) => quantizeToPlanes(x, codes, step, [nextFloat(0), positiveLevels * step]);
}

/**
 * HWGQ: after a batch-norm without scale and shift activations are nearly N(0,1), so one fixed optimal quantizer serves all layers;
 * weights alpha_c sign(w), the gradient of both passed on unchanged (Cai et al., CVPR 2017; survey [89]).
 */
export const hwgq = defineMethod({
  id: 'hwgq',
  title: 'Half-wave Gaussian Quantization, 2-bit activations',
  paper: 'Cai et al., CVPR 2017',
  family: 'gradient-error',
  bits: { weight: 1, activation: 2 },
  weight: binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'straight' }),
  activation: halfWave(3),
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none', plainNorm: true },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-5 }),
    rate: linear(),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

/** One positive level, E|N(0,1)|: truly 1-bit activations. */
export const hwgqOneBit: Method = defineMethod({
  ...hwgq,
  id: 'hwgq-w1a1',
  title: 'Half-wave Gaussian Quantization, 1-bit activations',
  bits: { weight: 1, activation: 1 },
  activation: halfWave(1),
});
