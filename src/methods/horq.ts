import { signActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import type { ActivationSum, ActivationTerm } from '../binarize/terms.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { sampleAbsMean, signResidual } from '../tensor/ops/sample.ts';
import { defineMethod } from './method.ts';

/**
 * x ~ sum_i beta_i H_i, H_i = sign(R_i-1), beta_i = mean|R_i-1| of each image, R_i = R_i-1 - beta_i H_i: every order binarizes what
 * the ones before left over (Li 2017, eq. 4-7).
 */
export function highOrderSigns(order: number): Quantizer<ActivationSum> {
  return (x, context) => {
    const terms: ActivationTerm[] = [];
    let residual = x;
    for (let i = 0; i < order; i++) {
      const scale = sampleAbsMean(residual);
      terms.push({ bits: signActivation(residual, clippedSte, context), scale });
      if (i + 1 < order) residual = signResidual(residual, scale);
    }
    return { terms };
  };
}

/** HORQ: high-order residual quantization of activations, order 2, with BWN weights (Li et al., ICCV 2017; survey [70]). */
export const horq = defineMethod({
  id: 'horq',
  title: 'High-Order Residual Quantization, order 2',
  paper: 'Li et al., ICCV 2017',
  family: 'quantization-error',
  bits: { weight: 1, activation: 2 },
  weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
  activation: highOrderSigns(2),
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
