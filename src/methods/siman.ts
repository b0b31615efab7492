import { binarizeActivation } from '../binarize/activations.ts';
import { approxSign, straightThrough } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAt } from '../binarize/learned-scale.ts';
import { sampleStandardised } from '../binarize/sample-norm.ts';
import { filterMean } from '../binarize/scales.ts';
import { standardiseWithFloor, subtractColumnMeans, type WeightTransform } from '../binarize/transforms.ts';
import { compose } from '../binarize/weights.ts';
import { nthSmallest, quantile } from '../core/quantile.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine, warmUp } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, record } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type UpdateRule } from './method.ts';

/** So many percent of a layer's weights are clamped on either side at first, none at the end. */
const clampedPercent = (progress: number): number => 15 * (1 - progress);

/**
 * +1 where |w| is above the lower median of its filter, else -1: half of the bits, by magnitude instead of by sign. The gradient is that of |w|.
 *
 * Source: Lin 2022, eq. 15-18; the paper writes the bits as 1 and 0, its code and this one as 1 and -1.
 */
export const aboveMedian: WeightTransform = (w) => {
  const { rows, channels } = w;
  const y = emptyTensor(w.shape);
  const magnitudes = floats(rows);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < rows; i++) magnitudes[i] = Math.abs(w.data[i * channels + c]!);
    const median = nthSmallest(magnitudes, (rows - 1) >> 1);
    for (let i = c; i < w.size; i += channels) y.data[i] = Math.abs(w.data[i]!) > median ? 1 : -1;
  }
  release(magnitudes);
  const backward = (dy: Float32Array) => {
    for (let i = 0; i < dy.length; i++) dy[i]! *= Math.sign(w.data[i]!);
    return [dy];
  };
  return record('aboveMedian', [w], y, backward);
};

/** Takes off each filter's mean, then clamps |w| to the layer's percentiles `percent` and 100 - `percent`; signs stay. */
export function drawIn({ data, rows, channels, size }: Tensor, percent: number): void {
  subtractColumnMeans(data, data, rows, channels);
  const magnitudes = floats(size);
  for (let i = 0; i < size; i++) magnitudes[i] = Math.abs(data[i]!);
  const [low, high] = [quantile(magnitudes, percent / 100), quantile(magnitudes, 1 - percent / 100)];
  release(magnitudes);
  for (let i = 0; i < size; i++) data[i] = Math.sign(data[i]!) * Math.min(Math.max(Math.abs(data[i]!), low), high);
}

/** The code does it before each forward pass, with a share that changes once an epoch. */
const drawnIn: UpdateRule = {
  afterStep: (layers, { progress, epoch }) => {
    const atStart = epoch > 0 ? (progress * Math.floor(epoch)) / epoch : 0;
    for (const { weight } of layers) drawIn(weight, clampedPercent(atStart));
  },
};

/** @param standardised how filters are, before their larger half is taken */
export const magnitudeWeights = (standardised: WeightTransform) =>
  compose(
    standardised,
    aboveMedian,
    binarizeWithLearnedScale({ estimator: straightThrough, start: startAt(filterMean), weightGradient: 'through' }),
  );

/**
 * SiMaN: sign-to-magnitude binarization. The half of a filter's standardised weights that is larger in magnitude becomes +1, the other -1;
 * a learned scale per channel; each image's activations are standardised before their sign, in packed networks too (Lin et al., TPAMI 2022,
 * eq. 11-18, and the authors' code).
 */
export const siman = defineMethod({
  id: 'siman',
  revision: 2,
  title: 'SiMaN',
  paper: 'Lin et al., TPAMI 2022',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: magnitudeWeights(standardiseWithFloor),
  activation: sampleStandardised({ centred: true, quantizer: binarizeActivation(approxSign) }),
  update: drawnIn,
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'prelu',
    head: 'norm',
    stem: 'relu',
    scaleInvariantWeights: true,
  },
  recipes: { resnet20: { structure: { classifierStart: 'he' } }, 'vgg-small': { structure: { stem: 'prelu' } } },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
    rate: warmUp(5, cosine()),
    epochs: 400,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'but-binary',
  },
});
