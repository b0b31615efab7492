import { kernels } from '../backend/select.ts';
import { floatActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { mapOnceFitted, onceFitted, waitForFit } from '../binarize/fitted.ts';
import { learningOutput } from '../binarize/quantizer.ts';
import { filterMean, meanMagnitude, noScale } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { binaryProduct } from '../nn/product.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type FitProblem } from './method.ts';

/** Alternations per term; each lowers the error until signs settle. */
const mostAlternations = 20;

/** W ~ V diag(d) U: V [K,r] and U [r,C] are signs. */
export interface SemiBinary {
  readonly v: Float32Array;
  readonly d: Float32Array;
  readonly u: Float32Array;
}

/**
 * W [K,C] as a sum of r terms d v u', signs v and u: one term after the other on what is left, alternating v = sign(R u), u = sign(R' v),
 * d = v'R u/(K C). No step raises the error.
 *
 * Source: Hu 2018 (ECCV), alg. 1.
 */
export function decompose(w: Float32Array, columns: number, terms: number): SemiBinary {
  const rows = w.length / columns;
  const rest = w.slice();
  const [v, d, u] = [new Float32Array(rows * terms), new Float32Array(terms), new Float32Array(terms * columns)];
  for (let t = 0; t < terms; t++) {
    // the column that is largest in what is left begins
    const sizes = Array.from({ length: columns }, (_, c) => {
      let size = 0;
      for (let r = 0; r < rows; r++) size += Math.abs(rest[r * columns + c]!);
      return size;
    });
    const largest = sizes.indexOf(Math.max(...sizes));
    const left = Float32Array.from({ length: rows }, (_, r) => (rest[r * columns + largest]! < 0 ? -1 : 1));
    const right = new Float32Array(columns);
    let size = -1;
    for (let turn = 0; turn < mostAlternations; turn++) {
      kernels().sgemm(true, false, columns, 1, rows, rest, left, false, right);
      takeSigns(right);
      kernels().sgemm(false, false, rows, 1, columns, rest, right, false, left);
      const next = takeSigns(left);
      if (next <= size) break;
      size = next;
    }
    let dot = 0;
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) dot += left[r]! * right[c]! * rest[r * columns + c]!;
    d[t] = dot / (rows * columns);
    for (let r = 0; r < rows; r++) {
      v[r * terms + t] = left[r]!;
      for (let c = 0; c < columns; c++) rest[r * columns + c]! -= d[t]! * left[r]! * right[c]!;
    }
    u.set(right, t * columns);
  }
  return { v, d, u };
}

/** Replaces values by their signs; returns the sum of their magnitudes, which the alternation raises. */
function takeSigns(values: Float32Array): number {
  let size = 0;
  for (let i = 0; i < values.length; i++) {
    size += Math.abs(values[i]!);
    values[i] = values[i]! < 0 ? -1 : 1;
  }
  return size;
}

function splitFilters({ layer: { weight, learned } }: FitProblem): void {
  const { channels } = weight;
  const size = meanMagnitude(weight.data);
  const { v, d, u } = decompose(weight.data, channels, channels);
  const mix = learned['mix']!.data;
  for (let i = 0; i < weight.size; i++) weight.data[i] = v[i]! * d[i % channels]!;
  for (let i = 0; i < mix.length; i++) mix[i] = u[i]! * size;
}

const mixSigns = binarizeWeights({ scale: noScale, estimator: clippedSte, scaleGradient: 'straight' });

/** The second factor: a 1x1 convolution by signs. */
const mixing = learningOutput(
  ({ weight, random }) => {
    const values = new Float32Array(weight.channels ** 2);
    random.fillUniform(values, -0.1, 0.1);
    return { learned: { mix: { values, shape: [1, 1, weight.channels, weight.channels] } } };
  },
  (y, { learned }, _input, context) => binaryProduct(y, mixSigns(learned['mix']!, context), {}),
);

/**
 * Semi-binary decomposition: a filter bank is the product of two matrices of signs with a diagonal between them, W ~ V D U, so that
 * a weight takes many values and every product is still by signs: a convolution by V, scaled, then a 1x1 by U. The factors come from
 * trained float weights by alternation and are trained on (Hu et al., ECCV 2018; survey [38]). U has as many rows as columns.
 */
export const semiBinary = defineMethod({
  id: 'semi-binary',
  title: 'Semi-Binary Decomposition',
  paper: 'Hu et al., ECCV 2018',
  family: 'quantization-error',
  bits: { weight: 1, activation: 32 },
  weight: onceFitted(binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' })),
  activation: floatActivation,
  output: mapOnceFitted(mixing),
  clippedWeightEstimator: true,
  schedule: waitForFit,
  fit: { at: 0.5, layer: splitFilters },
  structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
  defaults: {
    optimizer: adam({ rate: 1e-3 }),
    rate: steps([0.25, 0.5, 0.75], 0.1),
    epochs: 160,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
