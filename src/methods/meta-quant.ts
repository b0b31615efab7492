import { floatActivation } from '../binarize/activations.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { learning } from '../binarize/quantizer.ts';
import { noScale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

const hidden = 100;
const metaRate = 1e-3;
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

/** What the meta network is asked: the weight (MultiFC, three layers 1-100-100-1) or its gradient (FC-Grad, 1-100-1). */
export type MetaForm = 'multi-fc' | 'fc-grad';

/**
 * The published meta networks have neither biases nor nonlinearities, so M(x) = s x with s the product of their matrices; and units that
 * start equal stay equal. One number per matrix is therefore all of it: s = 100^2 a b c, or 100 a b.
 */
export function metaFactor(entries: ArrayLike<number>): number {
  let product = 1;
  for (let i = 0; i < entries.length; i++) product *= entries[i]!;
  return product * hidden ** (entries.length - 1);
}

/** First entries, symmetric: 1/100 and at last 1, so that M(x) = x. */
export function metaStart(form: MetaForm): Float32Array {
  return form === 'multi-fc' ? Float32Array.of(1 / hidden, 1 / hidden, 1) : Float32Array.of(1 / hidden, 1);
}

/**
 * One step of Adam at 0.001 on the entries, for dL/ds = `gradient`. An entry of a matrix between p and q equal units gets
 * dL/ds s / (its own value, p q).
 *
 * @param moments first and second moments of each entry, then the number of steps
 */
export function metaStep(entries: Float32Array, moments: Float32Array, gradient: number): void {
  const n = entries.length;
  const before = entries.slice();
  const t = ++moments[2 * n]!;
  for (let i = 0; i < n; i++) {
    const others = before.reduce((product, value, j) => (j === i ? product : product * value), 1);
    // units on paths through one entry: all of the hidden layers it does not touch
    const touched = i === 0 || i === n - 1 ? 1 : 2;
    const g = gradient * others * hidden ** (n - 1 - touched);
    const m = beta1 * moments[i]! + (1 - beta1) * g;
    const v = beta2 * moments[n + i]! + (1 - beta2) * g * g;
    moments[i] = m;
    moments[n + i] = v;
    entries[i]! -= (metaRate * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
  }
}

/** t = tanh w: `unit` = t/(2 max|t|) + 1/2, and its slope as published, `calibration` = (1 - t^2)/max|t|. */
export function calibrated(w: Float32Array): { unit: Float32Array; calibration: Float32Array } {
  const [unit, calibration] = [w.map(Math.tanh), new Float32Array(w.length)];
  let largest = 1e-12;
  for (const t of unit) if (Math.abs(t) > largest) largest = Math.abs(t);
  for (let i = 0; i < unit.length; i++) {
    const t = unit[i]!;
    calibration[i] = (1 - t * t) / largest;
    unit[i] = t / (2 * largest) + 0.5;
  }
  return { unit, calibration };
}

/** g <- M(.) calibration, after M has learned from what its last answer did to the loss. */
function learnToPenetrate(form: MetaForm, layers: readonly BinaryLayer[], rate: number): void {
  const { entries, moments } = layers[0]!.kept as Record<'entries' | 'moments', { data: Float32Array }>;
  const seen = layers.filter(({ weight }) => weight.grad).map((layer) => ({ layer, ...calibrated(layer.weight.data) }));
  // dL/ds of the step before: its weights moved by -rate s `direction`, and now the loss has gradient g calibration there
  let slope = 0;
  for (const { layer, calibration } of seen) {
    const [g, direction] = [layer.weight.grad!, layer.kept['direction']!.data];
    for (let i = 0; i < g.length; i++) slope -= rate * g[i]! * calibration[i]! * direction[i]!;
  }
  // no step was taken before the first: all directions are 0
  if (slope !== 0) metaStep(entries.data, moments.data, slope);
  const s = metaFactor(entries.data);
  for (const { layer, unit, calibration } of seen) {
    const [g, direction] = [layer.weight.grad!, layer.kept['direction']!.data];
    for (let i = 0; i < g.length; i++) {
      direction[i] = g[i]! * calibration[i]! * (form === 'multi-fc' ? unit[i]! : 1);
      g[i] = s * direction[i]!;
    }
  }
}

const penetrating = (form: MetaForm): UpdateRule => ({
  beforeStep: (layers, { rate }) => learnToPenetrate(form, layers, rate),
});

const signs = binarizeWeights({ scale: noScale, estimator: straightThrough, scaleGradient: 'straight' });

function metaQuantOf(form: MetaForm): Method {
  return defineMethod({
    id: form === 'multi-fc' ? 'meta-quant' : 'meta-quant-fc-grad',
    start: 'float',
    title: `MetaQuant, ${form === 'multi-fc' ? 'gradients from weights' : 'gradients from gradients'}`,
    paper: 'Chen et al., NeurIPS 2019',
    family: 'gradient-error',
    bits: { weight: 1, activation: 32 },
    weight: learning(
      ({ weight }) => ({
        kept: {
          direction: new Float32Array(weight.size),
          // one meta network serves all layers: the first layer's
          entries: metaStart(form),
          moments: new Float32Array(2 * metaStart(form).length + 1),
        },
      }),
      (w, context) => signs(w, context),
    ),
    activation: floatActivation,
    update: penetrating(form),
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu', firstLast: 'binary-biased' },
    defaults: {
      optimizer: sgd({ rate: 1e-3, momentum: 0 }),
      rate: steps([0.3, 0.6, 0.9], 0.1),
      epochs: 100,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });
}

/**
 * MetaQuant: a network learns, from what its last answer did to the loss, which gradient weights get from that of their signs; forward
 * DoReFa's one bit; starts from a trained float network (Chen et al., NeurIPS 2019, eq. 3-9; survey [39]).
 */
export const metaQuant = metaQuantOf('multi-fc');
export const metaQuantFcGrad = metaQuantOf('fc-grad');
