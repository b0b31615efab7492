import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte, straightThrough } from '../binarize/estimators.ts';
import { filterMean } from '../binarize/scales.ts';
import { subtractColumnMeans } from '../binarize/transforms.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/**
 * XNOR-Net: BWN weights and binary activations; the output is (sign(x) conv sign(w)) * K * alpha, K the box-filtered channel mean
 * of |x|, a constant for the backward pass; blocks are BN, sign, conv, pool (Rastegari et al., ECCV 2016, eq. 10-11, sec. 3.2; survey [58]).
 */
export const xnorNet = defineMethod({
  id: 'xnor-net',
  title: 'XNOR-Net with activation scaling K',
  paper: 'Rastegari et al., ECCV 2016',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }),
  activation: binarizeActivation(clippedSte),
  clippedWeightEstimator: true,
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none', activationScale: true },
  defaults: {
    optimizer: adam({ rate: 1e-3, weightDecay: 1e-5 }),
    rate: steps([0.5, 0.75, 0.9], 0.1),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

/** Without K, as most re-implementations train it: the packed network needs no run-time statistics. */
export const xnorNetNoK: Method = defineMethod({
  ...xnorNet,
  id: 'xnor-net-no-k',
  title: 'XNOR-Net without K',
  structure: { ...xnorNet.structure, activationScale: false },
});

/** g (n alpha_c 1[|w| < 1] + 1)(1 - 1/Cin), n weights in a filter (`updateBinaryGradWeight` in the authors' util.lua). */
export function scaleGradientByCode(gradient: Float32Array, { data, rows, channels, shape }: Tensor): void {
  const alpha = new Float32Array(channels);
  for (let i = 0; i < data.length; i++) alpha[i % channels]! += Math.abs(data[i]!) / rows;
  const share = 1 - 1 / shape[2]!;
  for (let i = 0; i < gradient.length; i++) {
    const inside = Math.abs(data[i]!) < 1 ? rows * alpha[i % channels]! : 0;
    gradient[i]! *= (inside + 1) * share;
  }
}

/** Takes the mean over the input channels off every tap of every filter [KH,KW,Cin,Cout], then clamps to [-1,1]. */
export function centreAndClamp({ data, shape }: Tensor): void {
  const [kh = 1, kw = 1, inChannels = 1, outChannels = 1] = shape;
  for (let tap = 0; tap < kh * kw; tap++) {
    const weights = data.subarray(tap * inChannels * outChannels, (tap + 1) * inChannels * outChannels);
    subtractColumnMeans(weights, weights, inChannels, outChannels);
  }
  kernels().clamp(data, -1, 1);
}

const asInCode: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight } of layers) if (weight.grad) scaleGradientByCode(weight.grad, weight);
  },
  afterStep: (layers) => {
    for (const { weight } of layers) centreAndClamp(weight);
  },
};

/**
 * XNOR-Net as its authors' code trains it: without K, latents centred over the input channels and clamped, the printed gradient times
 * n (1 - 1/Cin), decay on every parameter. The paper has none of it, so it is a method of its own beside the paper's.
 */
export const xnorNetCode: Method = defineMethod({
  ...xnorNetNoK,
  id: 'xnor-net-code',
  title: 'XNOR-Net as its code trains it',
  weight: binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'straight' }),
  clippedWeightEstimator: false,
  update: asInCode,
  defaults: { ...xnorNetNoK.defaults, clock: { rate: 'epoch' }, decay: 'all' },
});
