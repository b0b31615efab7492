import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAt } from '../binarize/learned-scale.ts';
import { learningOutput } from '../binarize/quantizer.ts';
import { filterMean, noScale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { outer, positionScale } from '../tensor/ops/position.ts';
import { defineMethod, type Method } from './method.ts';

const ones = (length: number) => new Float32Array(length).fill(1);

/** Gamma = alpha[o] * beta[h] * gamma[w]: o + h + w parameters (form 4). */
const rankOne = learningOutput(
  ({ output: [h = 1, w = 1] }) => ({ learned: { beta: { values: ones(h) }, gamma: { values: ones(w) } } }),
  (y, { learned }) => positionScale(y, outer(learned['beta']!, learned['gamma']!)),
);

/** Gamma = alpha[o] * beta[h,w] (form 3). */
const plane = learningOutput(
  ({ output: [h = 1, w = 1] }) => ({ learned: { beta: { values: ones(h * w), shape: [h, w, 1] } } }),
  (y, { learned }) => positionScale(y, learned['beta']!),
);

/** Gamma[h,w,o], free at every position (form 2). */
const dense = learningOutput(
  ({ weight, output: [h = 1, w = 1, c = 1] }) => {
    const alpha = filterMean(weight);
    const values = Float32Array.from({ length: h * w * c }, (_, i) => alpha[i % c]!);
    return { learned: { beta: { values, shape: [h, w, c] } } };
  },
  (y, { learned }) => positionScale(y, learned['beta']!),
);

const learnedAlpha = binarizeWithLearnedScale({
  estimator: clippedSte,
  start: startAt(filterMean),
  weightGradient: 'through',
});

/**
 * XNOR-Net++: one scale of the output, learned by gradient, replaces XNOR-Net's alpha and K; here Gamma = alpha x beta x gamma over
 * channels, rows and columns, started from mean|w| (Bulat and Tzimiropoulos, BMVC 2019, eq. 3-7; survey [76]).
 */
export const xnorNetPlusPlus = defineMethod({
  id: 'xnor-net-pp',
  title: 'XNOR-Net++, scale per channel x row x column',
  paper: 'Bulat and Tzimiropoulos, BMVC 2019',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: learnedAlpha,
  activation: binarizeActivation(clippedSte),
  output: rankOne,
  clippedWeightEstimator: true,
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

const form = (
  suffix: string,
  title: string,
  change: Pick<Method, 'weight'> & Partial<Pick<Method, 'output'>>,
): Method => {
  const { output: _, ...base } = xnorNetPlusPlus;
  return defineMethod({ ...base, ...change, id: `xnor-net-pp-${suffix}`, title: `XNOR-Net++, ${title}` });
};

export const xnorNetPlusPlusForms: readonly Method[] = [
  form('channel', 'scale per channel', { weight: learnedAlpha }),
  form('dense', 'scale per position and channel', {
    weight: binarizeWeights({ scale: noScale, estimator: clippedSte, scaleGradient: 'straight' }),
    output: dense,
  }),
  form('plane', 'scale per channel x position', { weight: learnedAlpha, output: plane }),
];
