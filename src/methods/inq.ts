import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { learning } from '../binarize/quantizer.ts';
import { layerMean, meanMagnitude } from '../binarize/scales.ts';
import { binarizeWeights, floatWeights } from '../binarize/weights.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import { sgd } from '../optim/optimizer.ts';
import { repeated, steps } from '../optim/schedules.ts';
import { oneForm, only } from './forms.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/** Shares of the weights that are frozen at the start of each quarter of the training. */
const portions = [0.5, 0.75, 0.875, 1] as const;

/** What the levels of a layer follow: its weights as they were when the first of them froze. */
interface Statistics {
  readonly largest: number;
  readonly mean: number;
}

type Levels = (statistics: Statistics) => (value: number) => number;

/**
 * {0, +-2^n2 ... +-2^n1}: n1 = floor(log2(4 max|w|/3)), n2 = n1 + 1 - 2^(b-1)/2; a value goes to 2^i from 3/4 of it on, to 0 below
 * half of the least.
 *
 * Source: Zhou 2017 (INQ), eq. 2-4.
 */
export const powersOfTwo =
  (bits: number): Levels =>
  ({ largest }) => {
    const n1 = Math.floor(Math.log2((4 * largest) / 3));
    const n2 = n1 + 1 - 2 ** (bits - 1) / 2;
    return (value) => {
      const magnitude = Math.abs(value);
      if (magnitude < 2 ** n2 / 2) return 0;
      const exponent = Math.min(n1, Math.max(n2, Math.floor(Math.log2((4 * magnitude) / 3))));
      return Math.sign(value) * 2 ** exponent;
    };
  };

/** +-mean|w| of the layer: the 1-bit form. */
export const plusMinusMean: Levels =
  ({ mean }) =>
  (value) =>
    value < 0 ? -mean : mean;

export function magnitudes(w: Float32Array): Statistics {
  return { largest: w.reduce((most, value) => Math.max(most, Math.abs(value)), 0), mean: meanMagnitude(w) };
}

/** Freezes the largest weights until `portion` of them are; `frozen` holds 1 for those, `values` what they are frozen at. */
export function freezeLargest(
  w: Float32Array,
  frozen: Float32Array,
  values: Float32Array,
  portion: number,
  quantize: (value: number) => number,
): void {
  const free = Array.from(w.keys()).filter((i) => frozen[i] === 0);
  free.sort((a, b) => Math.abs(w[b]!) - Math.abs(w[a]!));
  const missing = Math.round(portion * w.length) - (w.length - free.length);
  for (const i of free.slice(0, Math.max(0, missing))) {
    frozen[i] = 1;
    values[i] = quantize(w[i]!);
  }
}

function eachLayer(layers: readonly BinaryLayer[], visit: (layer: BinaryLayer, frozen: Float32Array) => void): void {
  for (const layer of layers) visit(layer, layer.kept['frozen']!.data);
}

/** Gradients of frozen weights are dropped, and whatever decay or momentum moved is put back. */
function partitioned(levels: Levels): UpdateRule {
  return {
    beforeStep: (layers, { progress }) =>
      eachLayer(layers, ({ weight, kept }, frozen) => {
        const stage = Math.min(portions.length - 1, Math.floor(progress * portions.length));
        const stageDone = kept['stage']!.data;
        if (stageDone[0]! <= stage) {
          const statistics = kept['statistics']!.data;
          if (stageDone[0] === 0) statistics.set(Object.values(magnitudes(weight.data)));
          const [largest = 0, mean = 0] = statistics;
          freezeLargest(weight.data, frozen, kept['values']!.data, portions[stage]!, levels({ largest, mean }));
          stageDone[0] = stage + 1;
        }
        if (weight.grad) for (let i = 0; i < frozen.length; i++) if (frozen[i] === 1) weight.grad[i] = 0;
      }),
    afterStep: (layers) =>
      eachLayer(layers, ({ weight, kept }, frozen) => {
        const values = kept['values']!.data;
        for (let i = 0; i < frozen.length; i++) if (frozen[i] === 1) weight.data[i] = values[i]!;
      }),
  };
}

const withMasks = (layer: { weight: { size: number } }) => ({
  kept: {
    frozen: new Float32Array(layer.weight.size),
    values: new Float32Array(layer.weight.size),
    statistics: new Float32Array(2),
    stage: new Float32Array(1),
  },
});

/** Tenfold steps begin anew in every stage. */
const perStage = repeated(portions.length, steps([0.5, 0.8], 0.1));

/**
 * INQ: weights are quantized to powers of two in four portions, the largest first; the others are trained on to make up for it (Zhou
 * et al., ICLR 2017; survey [84]).
 * Like its reference it starts from a trained float network.
 */
export const inqOf = (bits: number): Method =>
  defineMethod({
    id: bits === 5 ? 'inq' : `inq-w${bits}a32`,
    start: 'float',
    title: `Incremental Network Quantization, ${bits} bits`,
    paper: 'Zhou et al., ICLR 2017',
    family: 'loss',
    bits: { weight: bits, activation: 32 },
    widths: { weight: { from: 2, to: 8 }, activation: only(32), make: ({ weight }) => inqOf(weight) },
    weight: learning(withMasks, (w, context) => floatWeights(w, context)),
    activation: floatActivation,
    update: partitioned(powersOfTwo(bits)),
    floatPacked: 'weights are shifts, not signs: they are multiplied in float',
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', firstLast: 'binary-biased' },
    defaults: {
      optimizer: sgd({ rate: 0.01, momentum: 0.9, weightDecay: 5e-4 }),
      rate: perStage,
      epochs: 32,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });

const signs = binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' });

export const inq = inqOf(5);

const { floatPacked: _, ...base } = oneForm(inq);

/** The 1-bit form: weights freeze at +-mean|w|; in the last quarter, when all have, the layer is binary. */
export const inqBinary: Method = defineMethod({
  ...base,
  id: 'inq-binary',
  title: 'Incremental Network Quantization to one bit',
  bits: { weight: 1, activation: 32 },
  weight: learning(withMasks, (w, context) => (context.value('allFrozen', 1) === 0 ? w : signs(w, context))),
  schedule: ({ progress }) => ({ allFrozen: progress < (portions.length - 1) / portions.length ? 0 : 1 }),
  update: partitioned(plusMinusMean),
});
