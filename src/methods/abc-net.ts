import { signActivation } from '../binarize/activations.ts';
import { clippedWithin } from '../binarize/estimators.ts';
import { layerShift } from '../binarize/layer-affine.ts';
import { leastSquares } from '../binarize/least-squares.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import type { ActivationSum, FilterSum } from '../binarize/terms.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type Method } from './method.ts';

function meanAndSpread(w: Float32Array): { mean: number; spread: number } {
  const mean = w.reduce((sum, value) => sum + value, 0) / w.length;
  const spread = Math.sqrt(w.reduce((sum, value) => sum + (value - mean) ** 2, 0) / w.length);
  return { mean, spread };
}

/** w - mean + u_i std, whose signs are base i; u_i evenly from -1 to 1 (Lin 2017, eq. 3). */
function shiftedWeights(w: Tensor, bases: number): Tensor[] {
  const { mean, spread } = meanAndSpread(w.data);
  return Array.from({ length: bases }, (_, i) => {
    const u = bases === 1 ? 0 : -1 + (2 * i) / (bases - 1);
    const shifted = emptyTensor(w.shape);
    for (let j = 0; j < w.size; j++) shifted.data[j] = w.data[j]! - mean + u * spread;
    return shifted;
  });
}

/** w ~ sum_i alpha_i B_i over the layer, alpha by least squares; each base passes its gradient straight to w (eq. 4-6). */
export function weightBases(bases: number): Quantizer<FilterSum> {
  return (w) => {
    const sources = shiftedWeights(w, bases);
    const signs = sources.map(({ data }) => data.map((value) => (value < 0 ? -1 : 1)));
    const alphas = leastSquares(signs, w.data);
    const filters = sources.map((source, i) => {
      const alpha = alphas[i]!;
      const filter = signFilterOf(source, floats(w.channels).fill(alpha));
      release(source.data);
      const backward = (g: Float32Array) => {
        for (let j = 0; j < g.length; j++) g[j]! *= alpha;
        return [g];
      };
      return record('binarizeWeights', [w], filter, backward, { saved: [filter.words, filter.scale] });
    });
    return { filters };
  };
}

/** x ~ sum_j beta_j sign(clip(x + v_j, 0, 1) - 1/2), v and beta learned; the gradient passes inside the clip (eq. 8-11). */
export function activationBases(bases: number): Quantizer<ActivationSum> {
  const name = (j: number, of: string) => `${of}${j}`;
  const estimator = clippedWithin(0.5);
  return learning(
    () => ({
      learned: Object.fromEntries(
        Array.from({ length: bases }, (_, j) => [
          // the borders spread evenly over [0,1]
          [name(j, 'shift'), { values: Float32Array.of((j + 1) / (bases + 1) - 0.5) }],
          [name(j, 'beta'), { values: Float32Array.of(1 / bases) }],
        ]).flat(),
      ),
    }),
    (x, context, { learned }) => ({
      terms: Array.from({ length: bases }, (_, j) => ({
        bits: signActivation(layerShift(x, learned[name(j, 'shift')]!), estimator, context),
        scale: learned[name(j, 'beta')]!,
      })),
    }),
  );
}

/** ABC-Net: linear combinations of M weight bases and N activation bases, M*N binary convolutions (Lin et al., NeurIPS 2017; survey [71]). */
export function abcNetOf(weightCount: number, activationCount: number): Method {
  return defineMethod({
    id: weightCount === 3 && activationCount === 3 ? 'abc-net' : `abc-net-${weightCount}x${activationCount}`,
    title: `ABC-Net, bases of weights x activations: ${weightCount} x ${activationCount}`,
    paper: 'Lin et al., NeurIPS 2017',
    family: 'quantization-error',
    bits: { weight: weightCount, activation: activationCount },
    widths: {
      weight: { from: 1, to: 8 },
      activation: { from: 1, to: 8 },
      make: (bits) => abcNetOf(bits.weight, bits.activation),
    },
    weight: weightBases(weightCount),
    activation: activationBases(activationCount),
    structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none' },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
      rate: steps([0.5, 0.75], 0.1),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });
}
