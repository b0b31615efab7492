import { signActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import type { ActivationSum, ActivationTerm } from '../binarize/terms.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { sampleAbsMean, signResidual } from '../tensor/ops/sample.ts';
import { only } from './forms.ts';
import { defineMethod, type Method } from './method.ts';

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

/** HORQ: high-order residual quantization of activations, with BWN weights (Li et al., ICCV 2017; survey [70]). */
export const horqOf = (order: number): Method =>
  defineMethod({
    id: order === 2 ? 'horq' : `horq-w1a${order}`,
    title: `High-Order Residual Quantization, order ${order}`,
    paper: 'Li et al., ICCV 2017',
    family: 'quantization-error',
    bits: { weight: 1, activation: order },
    widths: { weight: only(1), activation: { from: 1, to: 8 }, make: ({ activation }) => horqOf(activation) },
    weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
    activation: highOrderSigns(order),
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

export const horq = horqOf(2);
