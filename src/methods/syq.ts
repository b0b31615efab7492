import { straightThrough } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale } from '../binarize/learned-scale.ts';
import { unitActivation } from '../binarize/level-activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { layerMean } from '../binarize/scales.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type Method } from './method.ts';

/** Scale groups of a k x k kernel: every tap its own, or one for each row. */
const groupOf = {
  pixel: (tap: number) => tap,
  row: (tap: number, side: number) => Math.floor(tap / side),
};

/** sign(w) alpha_g, g the tap or its row; dL/dalpha_g = sum over the group of G sign(w), dL/dw = alpha_g G (Faraone 2018, eq. 4-8). */
export function subgroupScales(group: keyof typeof groupOf): Quantizer<Tensor> {
  const groups = ({ shape }: Tensor) => {
    const [side = 1, width = 1, ...channels] = shape;
    const perTap = channels.reduce((a, b) => a * b, 1);
    const of = (i: number) => groupOf[group](Math.floor(i / perTap), width);
    return { of, count: group === 'pixel' ? side * width : side };
  };
  return learning(
    ({ weight }) => {
      const { of, count } = groups(weight);
      const values = new Float32Array(count);
      for (let i = 0; i < weight.size; i++) values[of(i)]! += Math.abs(weight.data[i]!) / (weight.size / count);
      return { learned: { subgroupScale: { values } } };
    },
    (w, _context, { learned }) => {
      const alpha = learned['subgroupScale']!;
      const { of } = groups(w);
      const sign = (i: number) => (w.data[i]! < 0 ? -1 : 1);
      const y = emptyTensor(w.shape);
      for (let i = 0; i < y.size; i++) y.data[i] = sign(i) * alpha.data[of(i)]!;
      const backward = (g: Float32Array) => [
        gradientOf(w, (dw) => {
          for (let i = 0; i < dw.length; i++) dw[i] = alpha.data[of(i)]! * g[i]!;
        }),
        gradientOf(alpha, (da) => {
          da.fill(0);
          for (let i = 0; i < g.length; i++) da[of(i)]! += g[i]! * sign(i);
        }),
      ];
      return record('subgroupScales', [w, alpha], y, backward);
    },
  );
}

/**
 * SYQ: symmetric codebooks with a learned scale for each tap of the kernel, and 8-bit activations (Faraone et al., CVPR 2018, eq. 4-8;
 * survey [77]). As in the authors' code a trained float network comes first, and each scale starts at the mean of its weights' magnitudes.
 */
export const syq = defineMethod({
  id: 'syq',
  start: 'float',
  revision: 2,
  title: 'SYQ, a scale per kernel pixel',
  paper: 'Faraone et al., CVPR 2018',
  family: 'quantization-error',
  bits: { weight: 1, activation: 8 },
  weight: subgroupScales('pixel'),
  activation: unitActivation(8),
  floatPacked: 'taps of one filter have different scales: a popcount over all taps cannot weigh them',
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

export const syqRow: Method = defineMethod({
  ...syq,
  id: 'syq-row',
  title: 'SYQ, a scale per kernel row',
  weight: subgroupScales('row'),
});

/** One scale a layer and 2-bit activations: the form that runs as bit-planes. */
const { floatPacked: _, ...packable } = syq;
export const syqLayer: Method = defineMethod({
  ...packable,
  id: 'syq-layer',
  title: 'SYQ, a scale per layer, 2-bit activations',
  bits: { weight: 1, activation: 2 },
  weight: binarizeWithLearnedScale({
    estimator: straightThrough,
    start: (w) => layerMean(w).slice(0, 1),
    weightGradient: 'through',
  }),
  activation: unitActivation(2),
});
