import { binarizeActivation } from '../binarize/activations.ts';
import { swishSign } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAt } from '../binarize/learned-scale.ts';
import { filterMean } from '../binarize/scales.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { floats } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';

/**
 * Sum over the weights of |alpha_c - |w|| (order 1) or (alpha_c - |w|)^2 (order 2): pulls latent weights to +-alpha.
 *
 * @param w [...,C]
 * @param alpha [C]
 * Source: Darabi 2018 (BNN+), eq. 6-8.
 */
export function scaleRegulariser(w: Tensor, alpha: Tensor, order: 1 | 2): Tensor {
  const distance = (i: number) => alpha.data[i % alpha.size]! - Math.abs(w.data[i]!);
  let total = 0;
  for (let i = 0; i < w.size; i++) total += Math.abs(distance(i)) ** order;
  const backward = (g: Float32Array) => {
    const [dw, da] = [floats(w.size), floats(alpha.size).fill(0)];
    for (let i = 0; i < w.size; i++) {
      const d = distance(i);
      const slope = g[0]! * (order === 1 ? Math.sign(d) : 2 * d);
      dw[i] = w.data[i]! < 0 ? slope : -slope;
      da[i % alpha.size]! += slope;
    }
    return [dw, da];
  };
  return record('scaleRegulariser', [w, alpha], new Tensor(floats(1).fill(total), [1]), backward);
}

const regularised =
  (lambda: number, order: 1 | 2): LossTerm =>
  ({ layers }) =>
    scale(
      layers.map(({ layer }) => scaleRegulariser(layer.weight, layer.learned['weightScale']!, order)).reduce(add),
      lambda,
    );

/** The first-order form starts from the median, its optimum. */
const filterMedian = (w: Tensor): Float32Array =>
  Float32Array.from({ length: w.channels }, (_, c) => {
    const magnitudes = Float32Array.from({ length: w.rows }, (__, r) => Math.abs(w.data[r * w.channels + c]!)).sort();
    return magnitudes[magnitudes.length >> 1]!;
  });

const bnnPlusOf = (order: 1 | 2): Pick<Method, 'weight' | 'lossTerms'> => ({
  weight: binarizeWithLearnedScale({
    estimator: swishSign(5),
    start: order === 1 ? filterMedian : startAt(filterMean),
    weightGradient: 'through',
  }),
  lossTerms: [regularised(1e-6, order)],
});

/**
 * BNN+: the derivative of SignSwish (beta 5) for weights and activations, a learned scale per filter, and a regulariser that pulls
 * weights to it (Darabi et al. 2018, eq. 3-8; survey [90]).
 */
export const bnnPlus = defineMethod({
  id: 'bnn-plus',
  title: 'BNN+, first-order regulariser',
  paper: 'Darabi et al., 2018',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  ...bnnPlusOf(1),
  activation: binarizeActivation(swishSign(5)),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'hardtanh' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 300,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

export const bnnPlusSquared: Method = defineMethod({
  ...bnnPlus,
  ...bnnPlusOf(2),
  id: 'bnn-plus-squared',
  title: 'BNN+, second-order regulariser',
});
