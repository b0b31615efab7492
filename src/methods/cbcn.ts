import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign } from '../binarize/estimators.ts';
import { layerMean } from '../binarize/scales.ts';
import type { WeightTransform } from '../binarize/transforms.ts';
import { binarizeWeights, compose } from '../binarize/weights.ts';
import { UsageError } from '../core/errors.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { defineMethod } from './method.ts';

/** Quarter turns: with 3x3 filters the ring of taps moves by two places for each. */
const orientations = 4;

/** Where the taps of a k x k filter come from after `turns` quarter turns clockwise. */
export function turnedTaps(side: number, turns: number): number[] {
  let taps = Array.from({ length: side * side }, (_, i) => i);
  for (let n = 0; n < turns; n++)
    taps = taps.map((_, i) => taps[(side - 1 - (i % side)) * side + Math.floor(i / side)]!);
  return taps;
}

/** For every weight of the bank, the one of the base filters it is a copy of. */
function bankIndex([kh = 1, kw = 1, inChannels = 1, bases = 1]: readonly number[]): Int32Array {
  const outChannels = bases * orientations;
  const index = new Int32Array(kh * kw * inChannels * outChannels);
  for (let turn = 0; turn < orientations; turn++) {
    const taps = turnedTaps(kh, turn);
    for (let tap = 0; tap < kh * kw; tap++)
      for (let i = 0; i < inChannels; i++) {
        // a turn also moves the orientations of the input by one
        const group = Math.floor(i / orientations) * orientations;
        const source = group + (((i % orientations) - turn + orientations) % orientations);
        for (let o = 0; o < bases; o++)
          index[(tap * inChannels + i) * outChannels + o * orientations + turn] =
            (taps[tap]! * inChannels + source) * bases + o;
      }
  }
  return index;
}

/**
 * Each base filter and its three quarter turns, side by side on the output channels; backwards the gradients of the four copies are
 * turned back and added (circulant back propagation).
 *
 * @param w [K,K,Cin,Cout/4]
 * @returns [K,K,Cin,Cout]; 1x1 filters unchanged
 * Source: Liu 2019 (CBCN), eq. 3-5 and 12.
 */
export const circulant: WeightTransform = (w) => {
  const [kh = 1, kw = 1, inChannels = 1, bases = 1] = w.shape;
  // a 1x1 filter looks the same from every side: dense layers stay as they are
  if (kh === 1) return w;
  const index = bankIndex(w.shape);
  const y = emptyTensor([kh, kw, inChannels, bases * orientations]);
  for (let i = 0; i < y.size; i++) y.data[i] = w.data[index[i]!]!;
  const backward = (dy: Float32Array) => {
    const dw = floats(w.size).fill(0);
    for (let i = 0; i < dy.length; i++) dw[index[i]!]! += dy[i]!;
    return [dw];
  };
  return record('circulant', [w], y, backward);
};

/**
 * CBCN: circulant filters make one learned filter into four oriented ones, so a network of the same channels has a quarter of the
 * parameters; ApproxSign slopes for weights and activations, one scale a layer (Liu et al., IJCAI 2019, eq. 2-12; survey [88]).
 */
export const cbcn = defineMethod({
  id: 'cbcn',
  title: 'Circulant Binary Convolutional Networks',
  paper: 'Liu et al., IJCAI 2019',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: compose(
    circulant,
    binarizeWeights({ scale: layerMean, estimator: approxSign, scaleGradient: 'exact-layer' }),
  ),
  latentShape: ([kh = 1, kw = 1, inChannels = 1, outChannels = 1]) => {
    if (kh === 1) return [kh, kw, inChannels, outChannels];
    if (kh !== kw || inChannels % orientations !== 0 || outChannels % orientations !== 0)
      throw new UsageError(
        `cbcn: filters [${kh},${kw},${inChannels},${outChannels}] cannot be turned; sides must be equal and channels multiples of ${orientations}: choose another --width or model`,
      );
    return [kh, kw, inChannels, outChannels / orientations];
  },
  activation: binarizeActivation(approxSign),
  structure: { order: 'bn-conv', shortcut: 'every-conv', activation: 'prelu' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4, nesterov: true }),
    rate: steps([0.3, 0.6, 0.8], 0.2),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
