import { kernels } from '../backend/select.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { floats } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bnn } from './bnn.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';

const floor = 1e-10;

/** The penalty of one channel with mean m and spread s, and its derivatives. */
function penalty(m: number, s: number): { value: number; dMean: number; dSpread: number } {
  const mismatch = Math.max(0, 2 - Math.abs(m) - s);
  const saturation = Math.max(0, s - 4);
  const degeneration = Math.max(0, m * m - s * s);
  return {
    value: mismatch ** 2 + saturation ** 2 + degeneration,
    dMean: -2 * mismatch * Math.sign(m) + (degeneration > 0 ? 2 * m : 0),
    dSpread: -2 * mismatch + 2 * saturation - (degeneration > 0 ? 2 * s : 0),
  };
}

/**
 * Mean over channels of (2-|m|-s)+^2 + (s-4)+^2 + (m^2-s^2)+, m and s the mean and spread of a channel before its sign: against
 * gradient mismatch, saturation and degeneration.
 *
 * @param x [N,H,W,C], what enters a sign
 * Source: Ding 2019 (BNN-DL), eq. 4-9, constants of its code; survey eq. 10.
 */
export function distributionLoss(x: Tensor): Tensor {
  const { rows, channels } = x;
  const [mean, spread] = [floats(channels), floats(channels)];
  kernels().channelMoments(x.data, mean, spread, rows, channels);
  let total = 0;
  for (let c = 0; c < channels; c++) {
    spread[c] = Math.sqrt(spread[c]! + floor);
    total += penalty(mean[c]!, spread[c]!).value / channels;
  }
  const backward = (g: Float32Array) => {
    // d mean/dx = 1/rows, d spread/dx = (x - mean)/(rows spread): one affine map per channel
    const [slope, shift, dx] = [floats(channels), floats(channels), floats(x.size)];
    for (let c = 0; c < channels; c++) {
      const { dMean, dSpread } = penalty(mean[c]!, spread[c]!);
      const factor = g[0]! / (channels * rows);
      slope[c] = (factor * dSpread) / spread[c]!;
      shift[c] = factor * dMean - slope[c]! * mean[c]!;
    }
    affineColumns(kernels(), x.data, slope, shift, dx, rows);
    return [dx];
  };
  return record('distributionLoss', [x], new Tensor(floats(1).fill(total), [1]), backward, { saved: [mean, spread] });
}

const lambda = 2;
/** The code drops the term for the last epochs, 60 of 65. */
const lastShare = 60 / 65;

const distributionTerm: LossTerm = ({ layers, context }) => {
  const strength = (context.value('distribution', 1) * lambda) / layers.length;
  return scale(layers.map(({ input }) => distributionLoss(input)).reduce(add), strength);
};

/**
 * BNN-DL: BNN with a loss on the distribution of each channel before its sign, so that it neither degenerates nor saturates
 * (Ding et al., CVPR 2019, eq. 4-9; survey [85], eq. 10).
 */
export const bnnDl: Method = defineMethod({
  ...bnn,
  id: 'bnn-dl',
  title: 'BNN with distribution loss',
  paper: 'Ding et al., CVPR 2019',
  family: 'loss',
  lossTerms: [distributionTerm],
  schedule: ({ progress }) => ({ distribution: progress < lastShare ? 1 : 0 }),
  structure: { ...bnn.structure, activation: 'none', firstLast: 'float' },
  defaults: {
    ...bnn.defaults,
    optimizer: adam({ rate: 1e-2 }),
    rate: steps([20 / 65, 40 / 65, 50 / 65, 60 / 65], 0.1),
    epochs: 65,
    batch: 256,
    loss: 'cross-entropy',
  },
});
