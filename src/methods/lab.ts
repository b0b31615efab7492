import { binarizeActivation, floatActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { learning } from '../binarize/quantizer.ts';
import { signFilterOf } from '../binarize/weights.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import type { SignFilter } from '../tensor/tensor.ts';
import { defineMethod, type Method } from './method.ts';

const epsilon = 1e-8;
const averaging = 0.999;

/** alpha = sum(d|w|)/sum(d), d = sqrt(v): the least loss under the curvature d, not the least distance (Hou 2017, prop. 3.2). */
export function curvatureScale(w: Float32Array, v: Float32Array): number {
  let [weighted, total] = [0, 0];
  for (let i = 0; i < w.length; i++) {
    const d = Math.sqrt(v[i]!) + epsilon;
    weighted += d * Math.abs(w[i]!);
    total += d;
  }
  return weighted / total;
}

const lossAware = learning<SignFilter>(
  ({ weight }) => ({ kept: { curvature: new Float32Array(weight.size) } }),
  (w, _context, { kept }) => {
    const filter = signFilterOf(w, floats(w.channels).fill(curvatureScale(w.data, kept['curvature']!)));
    return record('binarizeWeights', [w], filter, (g) => [g], { saved: [filter.words, filter.scale] });
  },
);

/** v <- 0.999 v + 0.001 g^2, the running square of the binary weight's gradient. */
function averageSquares(layers: readonly BinaryLayer[]): void {
  for (const { weight, kept } of layers) {
    const v = kept['curvature']!.data;
    if (weight.grad) for (let i = 0; i < v.length; i++) v[i]! += (1 - averaging) * (weight.grad[i]! ** 2 - v[i]!);
  }
}

/**
 * LAB: chooses signs and scale by their effect on the loss: one proximal Newton step with the diagonal curvature that Adam keeps
 * anyway (Hou et al., ICLR 2017, prop. 3.2, alg. 1; survey [83]). Float activations.
 */
export const lab = defineMethod({
  id: 'lab',
  title: 'Loss-Aware Binarization',
  paper: 'Hou et al., ICLR 2017',
  family: 'loss',
  bits: { weight: 1, activation: 32 },
  weight: lossAware,
  activation: floatActivation,
  update: { beforeStep: averageSquares },
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', firstLast: 'binary' },
  defaults: {
    optimizer: adam({ rate: 0.01 }),
    // halved every 15 of 200 epochs
    rate: steps(
      Array.from({ length: 13 }, (_, i) => (15 * (i + 1)) / 200),
      0.5,
    ),
    clock: { rate: 'epoch' },
    epochs: 200,
    batch: 50,
    loss: 'squared-hinge',
    clipLatent: true,
  },
});

export const lab2: Method = defineMethod({
  ...lab,
  id: 'lab2',
  title: 'Loss-Aware Binarization, binary activations too',
  bits: { weight: 1, activation: 1 },
  activation: binarizeActivation(clippedSte),
  structure: { ...lab.structure, activation: 'hardtanh' },
});
