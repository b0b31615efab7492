import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import type { Estimator } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { noScale } from '../binarize/scales.ts';
import { softened } from '../binarize/soft-sign.ts';
import type { FilterSum } from '../binarize/terms.ts';
import { binarizeWeights, signFilterOf } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/** The first half trains the compressed float network. */
const bitwiseFrom = 0.5;

/** The derivative of tanh, the surrogate of the first stage, serves the sign of the second. */
const tanhSlope: Estimator = { id: 'tanh', slope: 'tanh-ste', parameters: () => [1, 1] };

const tanhSigns = binarizeWeights({ scale: noScale, estimator: tanhSlope, scaleGradient: 'straight' });

/** A magnitude below which that share of the weights lies, between two of them. */
export function sparsityBoundary(w: Float32Array, share: number): number {
  const below = Math.round(share * w.length);
  if (below === 0) return 0;
  const magnitudes = w.map(Math.abs).sort();
  return (magnitudes[below - 1]! + (magnitudes[below] ?? Number.POSITIVE_INFINITY)) / 2;
}

/** {-1, 0, 1} as the mean of two signs, of w - boundary and of w + boundary; without zeros both are sign(w). */
export function ternarySigns(share: number): Quantizer<FilterSum> {
  return (w) => {
    const boundary = sparsityBoundary(w.data, share);
    const filters = [-boundary, boundary].map((shift, nth) => {
      const source = emptyTensor(w.shape);
      for (let i = 0; i < w.size; i++) source.data[i] = w.data[i]! + shift;
      const filter = signFilterOf(source, floats(w.channels).fill(0.5));
      release(source.data);
      // both together are worth w once
      const backward = (g: Float32Array) => {
        if (nth > 0) return [null];
        kernels().unaryBackward('tanh-ste', w.data, g, g, 1, 1);
        return [g];
      };
      return record('binarizeWeights', [w], filter, backward, { saved: [filter.words, filter.scale] });
    });
    return { filters };
  };
}

/** The second stage starts from the compressed weights, tanh(w). */
const compressOnce: UpdateRule = {
  beforeStep: (layers, { progress }) => {
    for (const { weight, kept } of layers) {
      const compressed = kept['compressed']!.data;
      if (progress < bitwiseFrom || compressed[0] === 1) continue;
      kernels().unary('tanh', weight.data, weight.data);
      compressed[0] = 1;
    }
  },
};

const remembering = <Out>(quantizer: Quantizer<Out>): Quantizer<Out> =>
  learning(
    () => ({ kept: { compressed: new Float32Array(1) } }),
    (w, context, own) => quantizer(w, context, own),
  );

/**
 * Bitwise Neural Networks: a float network with tanh on weights and activations, then noisy back propagation through the signs of both,
 * started from the compressed weights (Kim and Smaragdis 2016, sec. 3; survey [69]).
 */
export const bitwise = defineMethod({
  id: 'bitwise',
  title: 'Bitwise Neural Networks',
  paper: 'Kim and Smaragdis, 2016',
  family: 'naive',
  bits: { weight: 1, activation: 1 },
  weight: remembering(softened({ curve: 'tanh', sharpness: 'soft', hard: tanhSigns })),
  activation: softened({ curve: 'tanh', sharpness: 'soft', hard: binarizeActivation(tanhSlope) }),
  update: compressOnce,
  schedule: ({ progress }) => ({ soft: progress < bitwiseFrom ? 1 : Number.POSITIVE_INFINITY }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'none' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

/** Half of the weights are 0, those below the median magnitude: two binary convolutions for each. */
export const bitwiseSparse: Method = defineMethod({
  ...bitwise,
  id: 'bitwise-sparse',
  title: 'Bitwise Neural Networks, half of the weights zero',
  bits: { weight: 2, activation: 1 },
  weight: remembering(softened({ curve: 'tanh', sharpness: 'soft', hard: ternarySigns(0.5) })),
});
