import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte, straightThrough } from '../binarize/estimators.ts';
import { learning } from '../binarize/quantizer.ts';
import { noScale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { constant } from '../optim/schedules.ts';
import { defineMethod, type UpdateRule } from './method.ts';

const threshold = 1e-8;
const adaptivity = 1e-4;

/**
 * m <- (1-gamma) m + gamma g; a weight flips where m points its way strongly enough: |m| > tau and sign(m) = sign(w).
 *
 * Source: Helwegen 2019, alg. 1.
 */
export function flipByMomentum(w: Float32Array, m: Float32Array, g: Float32Array, gamma: number, tau: number): void {
  for (let i = 0; i < w.length; i++) {
    m[i]! += gamma * (g[i]! - m[i]!);
    if (w[i]! * m[i]! > tau) w[i] = -w[i]!;
  }
}

const bopUpdate: UpdateRule = {
  ownsLatents: true,
  beforeStep: (layers, { progress }) => {
    // gamma falls tenfold every fifth of the training (every 100 of 500 epochs)
    const gamma = adaptivity * 0.1 ** Math.floor(5 * progress);
    for (const { weight, kept } of layers) {
      if (weight.grad) flipByMomentum(weight.data, kept['momentum']!.data, weight.grad, gamma, threshold);
    }
  },
};

const signs = binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' });

/**
 * Bop: no latent weights; the weights are signs, and an average of their gradients decides which ones flip (Helwegen et al.,
 * NeurIPS 2019, alg. 1). All other parameters use Adam.
 */
export const bop = defineMethod({
  id: 'bop',
  title: 'Bop, the binary optimizer',
  paper: 'Helwegen et al., NeurIPS 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: learning(
    ({ weight }) => {
      // a flip must be a whole one: from the first step on the stored weights are +-1
      for (let i = 0; i < weight.size; i++) weight.data[i] = weight.data[i]! < 0 ? -1 : 1;
      return { kept: { momentum: new Float32Array(weight.size) } };
    },
    (w, context) => signs(w, context),
  ),
  activation: binarizeActivation(clippedSte),
  update: bopUpdate,
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'hardtanh', firstLast: 'binary' },
  defaults: {
    optimizer: adam({ rate: 0.01 }),
    // gamma falls, the rate does not
    rate: constant(),
    epochs: 500,
    batch: 50,
    loss: 'cross-entropy',
    clipLatent: false,
  },
  // its Bi-Real Nets have float ones
  recipes: Object.fromEntries(
    ['resnet18-imagenet', 'resnet34-imagenet'].map((model) => [model, { structure: { firstLast: 'float' } }]),
  ),
});
