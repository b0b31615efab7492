import { leastSquares } from '../binarize/least-squares.ts';
import { quantizeToPlanes } from '../binarize/level-activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import type { ActivationSum, FilterSum } from '../binarize/terms.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { defineMethod, type Method, type ModelRecipe } from './method.ts';

/** 0.75-quantile of N(0,1): where a first basis should put half of the weights. */
const normalQuartile = 0.6745;
const averaging = 0.9;
/** The basis of activations is solved on this many of them. */
const mostSamples = 2 ** 16;

interface Level {
  readonly value: number;
  /** Bit j tells whether basis vector j counts as +v_j. */
  readonly pattern: number;
}

/** All sums of the basis, each bit worth low or 1 times its v: `low` is -1 for weights, 0 for activations; ascending. */
export function levelsOf(basis: ArrayLike<number>, low: -1 | 0): Level[] {
  const levels = Array.from({ length: 2 ** basis.length }, (_, pattern) => {
    let value = 0;
    for (let j = 0; j < basis.length; j++) value += basis[j]! * ((pattern >> j) & 1 ? 1 : low);
    return { value, pattern };
  });
  return levels.sort((a, b) => a.value - b.value);
}

/** The pattern of the nearest level. */
function encode(value: number, levels: readonly Level[]): number {
  let i = 0;
  while (i + 1 < levels.length && value >= (levels[i]!.value + levels[i + 1]!.value) / 2) i++;
  return levels[i]!.pattern;
}

/**
 * One step of the quantization-error minimization: encode to the nearest levels, then the basis by least squares.
 *
 * Source: Zhang 2018 (LQ-Nets), alg. 1.
 */
export function refineBasis(values: ArrayLike<number>, basis: Float32Array, low: -1 | 0): Float32Array {
  const levels = levelsOf(basis, low);
  const codes = Array.from(values, (value) => encode(value, levels));
  const columns = Array.from(basis, (_, j) => Float32Array.from(codes, (code) => ((code >> j) & 1 ? 1 : low)));
  // a bit that no value uses keeps its basis vector
  return Float32Array.from(leastSquares(columns, values), (v, j) => (v === 0 ? basis[j]! : v));
}

function moveTowards(basis: Float32Array, target: Float32Array): void {
  for (let j = 0; j < basis.length; j++) basis[j] = averaging * basis[j]! + (1 - averaging) * target[j]!;
}

/** w ~ sum_j v_cj b_j, b in {-1,1}, a basis for every filter; the gradient passes straight. */
export function learnedBasisWeights(bits: number): Quantizer<FilterSum> {
  return learning(
    ({ weight }) => {
      const unit = (normalQuartile * Math.sqrt(2 / weight.rows)) / 2 ** (bits - 1);
      const basis = Float32Array.from({ length: weight.channels * bits }, (_, i) => unit * 2 ** (i % bits));
      return { kept: { weightBasis: basis } };
    },
    (w, context, { kept }) => {
      const all = kept['weightBasis']!;
      const codes = new Uint8Array(w.size);
      for (let c = 0; c < w.channels; c++) {
        const basis = all.subarray(c * bits, (c + 1) * bits);
        const levels = levelsOf(basis, -1);
        const filter = Float32Array.from({ length: w.rows }, (_, r) => w.data[r * w.channels + c]!);
        filter.forEach((value, r) => {
          codes[r * w.channels + c] = encode(value, levels);
        });
      }
      const filters = Array.from({ length: bits }, (_, j) => {
        const source = emptyTensor(w.shape);
        for (let i = 0; i < w.size; i++) source.data[i] = (codes[i]! >> j) & 1 ? 1 : -1;
        const scale = floats(w.channels);
        for (let c = 0; c < scale.length; c++) scale[c] = all[c * bits + j]!;
        const filter = signFilterOf(source, scale);
        release(source.data);
        // the levels together are worth w once: one of the filters hands the gradient on
        return record('binarizeWeights', [w], filter, (g) => [j === 0 ? g : null], {
          saved: [filter.words, filter.scale],
        });
      });
      if (context.training)
        for (let c = 0; c < w.channels; c++) {
          const filter = Float32Array.from({ length: w.rows }, (_, r) => w.data[r * w.channels + c]!);
          const basis = all.subarray(c * bits, (c + 1) * bits);
          moveTowards(basis, refineBasis(filter, basis, -1));
        }
      return { filters };
    },
  );
}

/** x ~ sum_j v_j b_j, b in {0,1}, one basis a layer; the gradient passes from 0 to the largest level. */
export function learnedBasisActivations(bits: number): Quantizer<ActivationSum> {
  return learning(
    () => {
      const unit = (2 * normalQuartile) / (2 ** bits - 1);
      return { kept: { activationBasis: Float32Array.from({ length: bits }, (_, j) => unit * 2 ** j) } };
    },
    (x, context, { kept }) => {
      const basis = kept['activationBasis']!;
      const levels = levelsOf(basis, 0);
      const thresholds = Float32Array.from(
        { length: levels.length - 1 },
        (_, i) => (levels[i]!.value + levels[i + 1]!.value) / 2,
      );
      const terms = Array.from(basis, (v, j) => {
        const patterns = Int32Array.from(levels, ({ pattern }) => (pattern >> j) & 1);
        const range = j === 0 ? ([0, levels.at(-1)!.value] as const) : null;
        return { bits: quantizeToPlanes(x, { thresholds, patterns }, v, range) };
      });
      if (context.training) {
        const stride = Math.ceil(x.size / mostSamples);
        const sample = Float32Array.from({ length: Math.floor(x.size / stride) }, (_, i) =>
          Math.max(0, x.data[i * stride]!),
        );
        moveTowards(basis, refineBasis(sample, basis, 0));
      }
      return { terms };
    },
  );
}

/** The authors' cifar10-vgg-small.py. */
const vggSmall: ModelRecipe = {
  defaults: {
    optimizer: sgd({ rate: 0.02, momentum: 0.9, weightDecay: 5e-4 }),
    rate: steps([80 / 400, 160 / 400, 300 / 400], 0.1),
    epochs: 400,
    batch: 100,
  },
};

/**
 * LQ-Nets: learned quantizers whose levels are sums of a small basis, refined on every batch; k bits run as k binary convolutions
 * (Zhang et al., ECCV 2018, eq. 4-9, alg. 1; survey [61]).
 */
export function lqNet(weight: number, activation: number): Method {
  return defineMethod({
    id: weight === 1 && activation === 2 ? 'lq-nets' : `lq-nets-w${weight}a${activation}`,
    revision: 2,
    title: `LQ-Nets, ${weight}-bit weights, ${activation}-bit activations`,
    paper: 'Zhang et al., ECCV 2018',
    family: 'quantization-error',
    bits: { weight, activation },
    widths: {
      weight: { from: 1, to: 4 },
      activation: { from: 1, to: 4 },
      make: (bits) => lqNet(bits.weight, bits.activation),
    },
    weight: learnedBasisWeights(weight),
    activation: learnedBasisActivations(activation),
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
      rate: steps([0.5, 0.75, 0.9], 0.1),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
      clock: { rate: 'epoch' },
    },
    recipes: { 'vgg-small': vggSmall },
  });
}
