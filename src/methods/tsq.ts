import { fitSigns, normalEquations } from '../binarize/binary-regression.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { onceFitted, waitForFit } from '../binarize/fitted.ts';
import { quantizeToPlanes } from '../binarize/level-activations.ts';
import type { Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import type { ActivationBits } from '../binarize/terms.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { nextFloat, plainCodes } from '../exact/level-codes.ts';
import { sgd } from '../optim/optimizer.ts';
import { linear } from '../optim/schedules.ts';
import { column } from './bwnh.ts';
import { defineMethod, type FitProblem, type Method, type UpdateRule } from './method.ts';

/** Positive levels of a quantizer, and from where on each is taken. */
export interface SparseLevels {
  readonly levels: readonly number[];
  readonly thresholds: readonly number[];
}

/**
 * Lloyd's levels for the positive half of N(0,1) beside a fixed 0: values below the first threshold, the learned cut, are 0.
 *
 * Source: Wang 2018 (TSQ), sec. 3.1.
 */
export function sparseLevels(count: number): SparseLevels {
  let levels = Array.from({ length: count }, (_, i) => ((i + 1) * 2) / count);
  const cuts = () => levels.map((level, i) => (level + (i > 0 ? levels[i - 1]! : 0)) / 2);
  for (let turn = 0; turn < 400; turn++) {
    const ends = [...cuts(), 8];
    // the mean of N(0,1) between a and b
    levels = levels.map((_, i) => (bell(ends[i]!) - bell(ends[i + 1]!)) / bellArea(ends[i]!, ends[i + 1]!));
  }
  return { levels, thresholds: cuts() };
}

const bell = (x: number) => Math.exp((-x * x) / 2);

/** Integral of the bell by Simpson's rule. */
function bellArea(from: number, to: number): number {
  const [intervals, step] = [100, (to - from) / 100];
  let sum = bell(from) + bell(to);
  for (let i = 1; i < intervals; i++) sum += (i % 2 === 1 ? 4 : 2) * bell(from + i * step);
  return (sum * step) / 3;
}

/** 0 up to the cut, then the level of the cell; one bit-plane per level, worth its distance from the one below; gradient 1 on (0, last]. */
export function sparseActivation({ levels, thresholds }: SparseLevels): Quantizer<ActivationBits> {
  const planes = levels.map((level, i) => ({
    codes: plainCodes(Float32Array.of(thresholds[i]!)),
    step: level - (levels[i - 1] ?? 0),
    range: [nextFloat(i === 0 ? 0 : thresholds[i]!), thresholds[i + 1] ?? level] as const,
  }));
  return (x) => {
    const terms = planes.map(({ codes, step, range }) => ({ bits: quantizeToPlanes(x, codes, step, range) }));
    return terms.length === 1 ? terms[0]!.bits : { terms };
  };
}

/** Pull of the free pre-activations to the products. */
const coupling = 1;
const rounds = 5;

/** The value of y nearest to both: (z - Q(y))^2 + coupling (y - product)^2 at its least, by trying every cell of Q. */
export function freePreActivation(z: number, product: number, { levels, thresholds }: SparseLevels): number {
  let [best, least] = [product, Number.POSITIVE_INFINITY];
  for (let cell = 0; cell <= levels.length; cell++) {
    const low = cell === 0 ? Number.NEGATIVE_INFINITY : thresholds[cell - 1]!;
    const high = cell === levels.length ? Number.POSITIVE_INFINITY : thresholds[cell]! - 1e-6;
    const y = Math.min(high, Math.max(low, product));
    const level = cell === 0 ? 0 : levels[cell - 1]!;
    const cost = (z - level) ** 2 + coupling * (y - product) ** 2;
    if (cost < least) [best, least] = [y, cost];
  }
  return best;
}

/**
 * One filter of the second step: min over alpha, b of |z - Q(alpha X b)|^2, Q taking a pre-activation as batch-norm gives it: by turns free
 * pre-activations and a least-squares fit of signs to them. In residual networks Q sees the layer's own output, before the shortcut joins.
 *
 * Source: Wang 2018 (TSQ), eq. 8-12; survey eq. 9.
 */
function quantizeFilters(quantizer: SparseLevels): (problem: FitProblem) => void {
  return ({ layer: { weight }, windows, windowsBefore }) => {
    const { channels, rows } = weight;
    const equations = normalEquations(windows, rows);
    const positions = windows.length / rows;
    const product = (x: Float32Array, w: Float32Array, p: number) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += x[p * rows + i]! * w[i]!;
      return sum;
    };
    for (let c = 0; c < channels; c++) {
      const w = column(weight.data, channels, c);
      const wanted = Float64Array.from({ length: positions }, (_, p) => product(windowsBefore, w, p));
      const mean = wanted.reduce((sum, y) => sum + y, 0) / positions;
      const spread = Math.sqrt(wanted.reduce((sum, y) => sum + (y - mean) ** 2, 0) / positions + 1e-8);
      const level = (y: number) => quantizer.levels[quantizer.thresholds.filter((t) => t <= y).length - 1] ?? 0;
      const z = wanted.map((y) => level((y - mean) / spread));
      const b = w.map((value) => (value < 0 ? -1 : 1));
      // the first turn fits the products themselves
      let alpha = fitTo(wanted);
      for (let round = 0; round < rounds; round++) {
        const now = alpha;
        alpha = fitTo(
          z.map((target, p) => {
            const normalised = (now * product(windows, b, p) - mean) / spread;
            return mean + spread * freePreActivation(target, normalised, quantizer);
          }),
        );
      }
      const scale = alpha > 0 ? alpha : w.reduce((sum, value) => sum + Math.abs(value), 0) / rows;
      for (let i = 0; i < rows; i++) weight.data[i * channels + c] = scale * b[i]!;

      function fitTo(y: Float64Array): number {
        const moments = new Float32Array(rows);
        for (let p = 0; p < positions; p++)
          for (let i = 0; i < rows; i++) moments[i]! += windows[p * rows + i]! * y[p]!;
        return fitSigns(equations, moments, b);
      }
    }
  };
}

/** Weights that were solved for stay; batch-norm and the classifier go on learning. */
const keepFitted: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight, kept } of layers) if (kept['fitted']!.data[0] === 1) weight.grad = null;
  },
};

function tsqOf(levels: SparseLevels): Pick<Method, 'activation' | 'fit'> {
  return { activation: sparseActivation(levels), fit: { at: 0.8, layer: quantizeFilters(levels) } };
}

/**
 * Two-Step Quantization: first activations are quantized, sparsely, with float weights; then, layer by layer and without backpropagation,
 * binary weights are found whose quantized outputs are nearest to those of the first step (Wang et al., CVPR 2018; survey [72], eq. 9).
 */
export const tsq = defineMethod({
  id: 'tsq',
  title: 'Two-Step Quantization, 2-bit activations',
  paper: 'Wang et al., CVPR 2018',
  family: 'quantization-error',
  bits: { weight: 1, activation: 2 },
  weight: onceFitted(binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'straight' })),
  ...tsqOf(sparseLevels(3)),
  schedule: waitForFit,
  update: keepFitted,
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none', plainNorm: true },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
    rate: linear(),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});

export const tsqOneBit: Method = defineMethod({
  ...tsq,
  id: 'tsq-w1a1',
  title: 'Two-Step Quantization, 1-bit activations',
  bits: { weight: 1, activation: 1 },
  ...tsqOf(sparseLevels(1)),
});
