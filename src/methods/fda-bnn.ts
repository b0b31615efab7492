import { kernels } from '../backend/select.ts';
import type { BinarizeContext } from '../binarize/context.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { filterMean, scaleColumns } from '../binarize/scales.ts';
import { signFilterOf } from '../binarize/weights.ts';
import { wordsPerRow } from '../core/bits.ts';
import { interpolated } from '../core/interpolated.ts';
import type { Random } from '../core/random.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine } from '../optim/schedules.ts';
import { relu } from '../tensor/ops/activation.ts';
import { dense } from '../tensor/ops/conv.ts';
import { reshape } from '../tensor/ops/shape.ts';
import { words } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import { type SignFilter, SignTensor, type Tensor } from '../tensor/tensor.ts';
import { defineMethod } from './method.ts';

/** omega; the first and the last number of sine terms; how many times the noise module narrows. */
const [omega, firstTerms, lastTerms, reduction] = [0.1, 9, 18, 64];
/** The noise is this much of a sine, beside what it learns. */
const sineShare = 0.1;

/** d/dx of the Fourier series of sign up to term n: (4 omega/pi) sum_i cos((2i + 1) omega x), 0 where |x| > 1 (Xu 2021, eq. 7). */
export function fourierSlope(x: number, n: number): number {
  if (Math.abs(x) > 1) return 0;
  let total = 0;
  for (let i = 0; i <= n; i++) total += Math.cos((2 * i + 1) * omega * x);
  return (4 * omega * total) / Math.PI;
}

/** One table of the slope for each number of terms, made when it is first asked for. */
const slopes: ((x: number) => number)[] = [];
const slopeOf = (n: number): ((x: number) => number) => {
  slopes[n] ??= interpolated((x) => fourierSlope(x, n), 1);
  return slopes[n];
};

/** dy times the slope, in place. */
function throughSlope(dy: Float32Array, x: Float32Array, context: BinarizeContext): void {
  const slope = slopeOf(context.value('terms', lastTerms));
  for (let i = 0; i < dy.length; i++) {
    const size = Math.abs(x[i]!);
    dy[i] = size > 1 ? 0 : dy[i]! * slope(size);
  }
}

const turn = 2 * Math.PI;
const sine = interpolated(Math.sin, turn, 8192);
const cosineOf = interpolated(Math.cos, turn, 8192);
/** Of a whole turn, what x is beyond it. */
const withinTurn = (x: number): number => x - turn * Math.floor(x / turn);

/** y + alpha (learned + 0.1 sin x), y and learned shaped as x: what makes up for the terms left out (eq. 10). */
function addNoise(y: Tensor, learned: Tensor, x: Tensor, alpha: number): Tensor {
  const out = emptyTensor(x.shape);
  for (let i = 0; i < out.size; i++)
    out.data[i] = y.data[i]! + alpha * (learned.data[i]! + sineShare * sine(withinTurn(x.data[i]!)));
  const backward = (g: Float32Array) => {
    const [dlearned, dx] = [emptyTensor(x.shape).data, emptyTensor(x.shape).data];
    kernels().blend(g, alpha, 0, dlearned.fill(0));
    for (let i = 0; i < dx.length; i++) dx[i] = sineShare * dlearned[i]! * cosineOf(withinTurn(x.data[i]!));
    return [g, dlearned, dx];
  };
  return record('addNoise', [y, learned, x], out, backward);
}

/** sign(x) as floats, with the Fourier slope. */
function floatSigns(x: Tensor, context: BinarizeContext): Tensor {
  const y = emptyTensor(x.shape);
  kernels().unary('clip-ste', x.data, y.data);
  const backward = (dy: Float32Array) => {
    throughSlope(dy, x.data, context);
    return [dy];
  };
  return record('floatSigns', [x], y, backward);
}

/** First values of two dense layers without bias around `size/reduction` values: `squeeze` [rows,columns] and `excite`. */
function narrowing(size: number, random: Random, byColumns: boolean) {
  const hidden = Math.max(1, Math.floor(size / reduction));
  const uniform = (shape: readonly [number, number], fanIn: number) => {
    const values = new Float32Array(size * hidden);
    random.fillUniform(values, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
    return { values, shape, decay: true };
  };
  return byColumns
    ? { squeeze: uniform([hidden, size], size), excite: uniform([size, hidden], hidden) }
    : { squeeze: uniform([size, hidden], size), excite: uniform([hidden, size], hidden) };
}

/** The share of the noise at this point of the training; none in evaluation. */
const noiseNow = (context: BinarizeContext): number => (context.training ? context.value('noise', 0) : 0);

/** Signs of activations; in training, with a noise computed from each pixel's channels. */
const noisySigns: Quantizer<SignTensor | Tensor> = learning(
  ({ input, random }) => {
    const { squeeze, excite } = narrowing(input.at(-1)!, random, false);
    return { learned: { activationSqueeze: squeeze, activationExcite: excite } };
  },
  (x, context, { learned }) => {
    const alpha = noiseNow(context);
    if (alpha > 0) {
      const pixels = reshape(x, [x.rows, x.channels]);
      const hidden = relu(dense(pixels, learned['activationSqueeze']!));
      const noise = reshape(dense(hidden, learned['activationExcite']!), x.shape);
      return addNoise(floatSigns(x, context), noise, x, alpha);
    }
    const packed = words(x.rows * wordsPerRow(x.channels));
    kernels().packSigns(x.data, packed, x.rows, x.channels);
    const backward = (dy: Float32Array) => {
      throughSlope(dy, x.data, context);
      return [dy];
    };
    return record('sign', [x], new SignTensor(packed, x.shape), backward, { saved: [packed] });
  },
);

/** mean|w| sign(w); in training, with a noise computed from each filter's weights. */
const noisyFilter: Quantizer<SignFilter | Tensor> = learning(
  ({ weight, random }) => {
    const { squeeze, excite } = narrowing(weight.rows, random, true);
    return { learned: { weightSqueeze: squeeze, weightExcite: excite } };
  },
  (w, context, { learned }) => {
    const alpha = noiseNow(context);
    const scale = filterMean(w);
    if (alpha > 0) {
      const hidden = relu(dense(learned['weightSqueeze']!, reshape(w, [w.rows, w.channels])));
      const noise = reshape(dense(learned['weightExcite']!, hidden), w.shape);
      return scaledBy(addNoise(floatSigns(w, context), noise, w, alpha), scale);
    }
    const filter = signFilterOf(w, scale);
    const backward = (g: Float32Array) => {
      scaleColumns(g, scale, g, w.rows);
      throughSlope(g, w.data, context);
      return [g];
    };
    return record('binarizeWeights', [w], filter, backward, { saved: [filter.words, scale] });
  },
);

/** x times a constant of each column. */
function scaledBy(x: Tensor, factor: Float32Array): Tensor {
  const y = emptyTensor(x.shape);
  scaleColumns(x.data, factor, y.data, x.rows);
  const backward = (dy: Float32Array) => {
    scaleColumns(dy, factor, dy, x.rows);
    return [dy];
  };
  return record('scaledBy', [x], y, backward, { saved: [factor] });
}

/**
 * FDA-BNN: the slope of sign is that of its Fourier series up to ever more terms, and a small network of every layer's own adds in training
 * what the series leaves out, ever less of it (Xu et al., NeurIPS 2021, eq. 5-12). Convolutions are float in training while there is noise;
 * evaluation and packed networks have bits alone. Paper and code do not tell the rates: they are IR-Net's.
 */
export const fdaBnn = defineMethod({
  id: 'fda-bnn',
  title: 'FDA-BNN',
  paper: 'Xu et al., NeurIPS 2021',
  family: 'gradient-error',
  bits: { weight: 1, activation: 1 },
  weight: noisyFilter,
  activation: noisySigns,
  schedule: ({ progress }) => ({
    terms: firstTerms + Math.floor(progress * (lastTerms - firstTerms)),
    noise: progress < 1 ? 0.05 * (1 + Math.cos(Math.PI * progress)) : 0,
  }),
  structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'hardtanh' },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: cosine(),
    epochs: 400,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
