import { straightThrough } from '../binarize/estimators.ts';
import { quantizeToPlanes } from '../binarize/level-activations.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { nextFloat, plainCodes } from '../exact/level-codes.ts';
import { sgd } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import type { PlaneTensor } from '../tensor/tensor.ts';
import { only } from './forms.ts';
import { defineMethod, type Method } from './method.ts';

/** Best uniform steps for the positive half of N(0,1), by bits: 1 to 15 positive levels (Cai 2017, sec. 4.2; beyond 2 bits found as these are). */
const bestSteps = { 1: 0.7979, 2: 0.538, 3: 0.3217, 4: 0.1843 } as const;
type HalfWaveBits = keyof typeof bestSteps;

/**
 * Half-wave Gaussian quantization: 0 for x <= 0, else the nearest of step, 2 step, ...; backwards a clipped ReLU, slope 1 on (0, qmax].
 *
 * Source: Cai 2017 (HWGQ), eq. 12-15.
 */
export function halfWave(bits: HalfWaveBits): Quantizer<PlaneTensor> {
  const step = bestSteps[bits];
  const positiveLevels = 2 ** bits - 1;
  const codes = plainCodes(
    Float32Array.from({ length: positiveLevels }, (_, i) => (i === 0 ? nextFloat(0) : (i + 0.5) * step)),
  );
  return (x) => quantizeToPlanes(x, codes, step, [nextFloat(0), positiveLevels * step]);
}

/**
 * HWGQ: after a batch-norm without scale and shift activations are nearly N(0,1), so one fixed optimal quantizer serves all layers;
 * weights alpha_c sign(w), the gradient of both passed on unchanged (Cai et al., CVPR 2017; survey [89]).
 */
export const hwgqOf = (bits: HalfWaveBits): Method =>
  defineMethod({
    id: bits === 2 ? 'hwgq' : `hwgq-w1a${bits}`,
    title: `Half-wave Gaussian Quantization, ${bits}-bit activations`,
    paper: 'Cai et al., CVPR 2017',
    family: 'gradient-error',
    bits: { weight: 1, activation: bits },
    widths: {
      weight: only(1),
      activation: { from: 1, to: 4 },
      make: ({ activation }) => hwgqOf(activation as HalfWaveBits),
    },
    weight: binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'straight' }),
    activation: halfWave(bits),
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

export const hwgq = hwgqOf(2);
/** One positive level, E|N(0,1)|: truly 1-bit activations. */
export const hwgqOneBit = hwgqOf(1);
