import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { noScale } from '../binarize/scales.ts';
import { floatUntil } from '../binarize/stages.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { constant } from '../optim/schedules.ts';
import { defineMethod, type UpdateRule } from './method.ts';

/** Weights are float this long, then frozen at their signs while everything else goes on learning. */
const freezeAt = 2 / 3;
const regularisation = 1e-4;

/** The proximal step of r * sum| |w| - 1 |: moves w towards its sign by r, never past it; 0 has none and stays (Bai 2019, eq. 9). */
export function proximalBinary(w: Float32Array, r: number): void {
  for (let i = 0; i < w.length; i++) {
    const excess = Math.abs(w[i]!) - 1;
    const magnitude = 1 + Math.sign(excess) * Math.max(0, Math.abs(excess) - r);
    w[i] = Math.sign(w[i]!) * magnitude;
  }
}

const proximal: UpdateRule = {
  beforeStep: (layers, { progress }) => {
    if (progress < freezeAt) return;
    for (const { weight } of layers) weight.grad?.fill(0);
  },
  afterStep: (layers, { epoch, progress, rate }) => {
    for (const { weight } of layers) {
      // rate * lambda_t, lambda_t = 1e-4 per epoch; a step of 1 or more would be the sign itself
      if (progress < freezeAt) proximalBinary(weight.data, rate * regularisation * Math.floor(epoch));
      else for (let i = 0; i < weight.size; i++) weight.data[i] = weight.data[i]! < 0 ? -1 : 1;
    }
  },
};

/**
 * ProxQuant: the network runs on float weights, and each update ends with the proximal step of a W-shaped regulariser whose
 * strength grows; after two thirds weights are frozen at their signs (Bai et al., ICLR 2019, eq. 8-10; survey [92]).
 * Like its reference it starts from a trained float network.
 */
export const proxQuant = defineMethod({
  id: 'prox-quant',
  start: 'float',
  title: 'ProxQuant',
  paper: 'Bai et al., ICLR 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 32 },
  weight: floatUntil(
    'frozen',
    binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' }),
  ),
  activation: floatActivation,
  update: proximal,
  schedule: ({ progress }) => ({ frozen: progress < freezeAt ? 0 : 1 }),
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', firstLast: 'binary-biased' },
  defaults: {
    optimizer: adam({ rate: 0.01 }),
    rate: constant(),
    epochs: 300,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: true,
  },
});
