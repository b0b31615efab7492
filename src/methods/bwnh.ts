import { floatActivation } from '../binarize/activations.ts';
import { fitSigns, normalEquations } from '../binarize/binary-regression.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { onceFitted, waitForFit } from '../binarize/fitted.ts';
import { filterMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { adam } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { defineMethod, type FitProblem } from './method.ts';

/** Column c of a matrix [rows, columns]. */
export function column(matrix: Float32Array, columns: number, c: number): Float32Array {
  return Float32Array.from({ length: matrix.length / columns }, (_, row) => matrix[row * columns + c]!);
}

/**
 * Every filter becomes the alpha b whose products with the layer's inputs are nearest to its own: |X w - alpha X b|^2 at its least, so
 * codes are chosen by what they do to the data (Hu 2018, eq. 5-12).
 */
export function hashFilters({ layer: { weight }, windows }: FitProblem): void {
  const { channels, rows } = weight;
  const equations = normalEquations(windows, rows);
  for (let c = 0; c < channels; c++) {
    const w = column(weight.data, channels, c);
    const b = w.map((value) => (value < 0 ? -1 : 1));
    const moments = new Float32Array(rows);
    for (let i = 0; i < rows; i++) for (let j = 0; j < rows; j++) moments[i]! += equations.gram[i * rows + j]! * w[j]!;
    const alpha = fitSigns(equations, moments, b);
    // a dead input says nothing of the filter: it keeps its own scale
    const scale = alpha > 0 ? alpha : w.reduce((sum, value) => sum + Math.abs(value), 0) / rows;
    for (let i = 0; i < rows; i++) weight.data[i * channels + c] = scale * b[i]!;
  }
}

/**
 * BWNH: binary codes of the filters as hash codes that keep the inner products with the layer's inputs, found layer by layer from trained
 * float weights, each layer seeing what the binary layers before it give; then the network is trained on (Hu et al., AAAI 2018; survey [73]).
 * Half of the training is that of the float network, the other half the fine-tuning.
 */
export const bwnh = defineMethod({
  id: 'bwnh',
  title: 'Binary Weight Networks via Hashing',
  paper: 'Hu et al., AAAI 2018',
  family: 'quantization-error',
  bits: { weight: 1, activation: 32 },
  weight: onceFitted(binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' })),
  activation: floatActivation,
  clippedWeightEstimator: true,
  schedule: waitForFit,
  fit: { at: 0.5, layer: hashFilters },
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
