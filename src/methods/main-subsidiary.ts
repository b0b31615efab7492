import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { filterMean, scaleColumns } from '../binarize/scales.ts';
import { centre, clampWeights } from '../binarize/transforms.ts';
import { compose, signFilterOf } from '../binarize/weights.ts';
import type { BinaryLayer } from '../nn/binary-layer.ts';
import { adam } from '../optim/optimizer.ts';
import { exponential } from '../optim/schedules.ts';
import { add, scale, sum } from '../tensor/ops/arithmetic.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import { defineMethod, type LossTerm, type UpdateRule } from './method.ts';

/** Weight of the count of kept filters in the loss; 1e-7 to 1e-9 in the paper. */
const regularisation = 1e-8;
/** Masks learn ten times as fast as weights: 1e-3 against 1e-4. */
const maskRate = 10;
/** The whole network is trained this long before the first layer is pruned. */
const pretraining = 0.5;

/** alpha_c sign(w_c) (sign(m_c) + 1)/2: a filter whose mask is negative is gone, once its layer is being pruned. */
const maskedSigns: Quantizer<SignFilter> = learning(
  ({ weight, random }) => {
    const mask = new Float32Array(weight.channels);
    random.fillUniform(mask, -1e-4, 1e-4);
    return { learned: { mask: { values: mask, rateFactor: maskRate } }, kept: { pruning: new Float32Array(1) } };
  },
  (w, context, { learned, kept }) => {
    const mask = learned['mask']!;
    const pruning = kept['pruning']![0] === 1;
    const alpha = filterMean(w);
    if (pruning) for (let c = 0; c < alpha.length; c++) if (mask.data[c]! < 0) alpha[c] = 0;
    const filter = signFilterOf(w, alpha);
    const whole = filterMean(w);
    const backward = (g: Float32Array) => [
      gradientOf(w, (dw) => {
        kernels().unaryBackward('clip-ste', w.data, g, dw, ...clippedSte.parameters(context));
        scaleColumns(dw, alpha, dw, w.rows);
      }),
      gradientOf(mask, (dm) => {
        dm.fill(0);
        if (!pruning) return;
        const signs = floats(w.size);
        kernels().unary('clip-ste', w.data, signs);
        kernels().columnDots(g, signs, dm, w.rows, w.channels);
        release(signs);
        // (sign(m)+1)/2 has half the slope of sign
        for (let c = 0; c < dm.length; c++) dm[c]! *= Math.abs(mask.data[c]!) <= 1 ? whole[c]! / 2 : 0;
      }),
    ];
    return record('binarizeWeights', [w, mask], filter, backward, { saved: [filter.words, alpha, whole] });
  },
);

/** Number of kept filters, sum_c (sign(m_c) + 1)/2, with the clipped slope: the published code counts them without any gradient. */
function keptFilters(mask: Tensor): Tensor {
  const y = emptyTensor([mask.size]);
  for (let c = 0; c < y.size; c++) y.data[c] = mask.data[c]! < 0 ? 0 : 1;
  const backward = (dy: Float32Array) => {
    for (let c = 0; c < dy.length; c++) dy[c]! *= Math.abs(mask.data[c]!) <= 1 ? 0.5 : 0;
    return [dy];
  };
  return sum(record('keptFilters', [mask], y, backward));
}

const fewFilters: LossTerm = ({ layers }) => {
  const counts = layers.map(({ layer }) => {
    const pruning = layer.kept['pruning']!.data[0]!;
    return scale(keptFilters(layer.learned['mask']!), pruning * regularisation);
  });
  return counts.reduce(add);
};

/** Where the alternation stands: which layer is pruned, and whether its mask (subsidiary) or the weights (main) learn. */
export function turnAt(progress: number, layers: number): { layer: number; subsidiary: boolean } | null {
  if (progress < pretraining) return null;
  const turn = Math.min(2 * layers - 1, Math.floor(((progress - pretraining) / (1 - pretraining)) * 2 * layers));
  return { layer: turn >> 1, subsidiary: turn % 2 === 0 };
}

const alternate: UpdateRule = {
  beforeStep: (layers: readonly BinaryLayer[], { progress }) => {
    const turn = turnAt(progress, layers.length);
    for (const [place, { weight, learned, kept }] of layers.entries()) {
      if (turn && place <= turn.layer) kept['pruning']!.data[0] = 1;
      const mask = learned['mask']!;
      if (turn?.subsidiary) weight.grad = null;
      if (!turn?.subsidiary || place !== turn.layer) mask.grad = null;
    }
  },
};

/**
 * Main/Subsidiary: after the binary network is trained, its layers are pruned one by one: a subsidiary turn learns a mask of the layer's
 * filters with all weights frozen, a main turn trains the weights on with the masks frozen (Xu et al., CVPR 2019, eq. 3-8; survey [87]).
 * Weights are those of XNOR-Net, centred and clamped.
 */
export const mainSubsidiary = defineMethod({
  id: 'main-subsidiary',
  title: 'Main/Subsidiary Network, filters pruned by learned masks',
  paper: 'Xu et al., CVPR 2019',
  family: 'loss',
  bits: { weight: 1, activation: 1 },
  weight: compose(
    centre,
    clampWeights(() => 1),
    maskedSigns,
  ),
  activation: binarizeActivation(clippedSte),
  clippedWeightEstimator: true,
  lossTerms: [fewFilters],
  update: alternate,
  structure: { order: 'bn-conv', shortcut: 'every-block', activation: 'none' },
  defaults: {
    optimizer: adam({ rate: 1e-3, weightDecay: 1e-5 }),
    rate: exponential(1e-3),
    epochs: 200,
    batch: 128,
    loss: 'cross-entropy',
    clipLatent: false,
  },
});
