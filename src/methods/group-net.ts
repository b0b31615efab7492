import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { filterMean } from '../binarize/scales.ts';
import type { FilterSum } from '../binarize/terms.ts';
import { binarizeWeights, signFilterOf } from '../binarize/weights.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { defineMethod, type Method } from './method.ts';

/** Binary branches of a block, or bases of a convolution, where nobody says: K of the paper. */
const usualBranches = 4;
const branchRange = { from: 1, to: 16 } as const;

/** Columns i*Cout to (i+1)*Cout of the latent weights [KH,KW,Cin,K*Cout]: those of base i. */
function baseOf(w: Tensor, i: number, bases: number): Tensor {
  const outputs = w.channels / bases;
  const source = floats(w.size / bases);
  for (let r = 0; r < w.rows; r++)
    source.set(w.data.subarray(r * w.channels + i * outputs, r * w.channels + (i + 1) * outputs), r * outputs);
  return new Tensor(source, [...w.shape.slice(0, -1), outputs]);
}

/** sum_i lambda_i sign(w_i), w_i latent weights of their own, lambda_i learned for the layer (Zhuang 2019, eq. 2-3). */
export function independentBases(bases: number): Quantizer<FilterSum> {
  return learning(
    () => ({ learned: { lambda: { values: new Float32Array(bases).fill(1 / bases) } } }),
    (w, _context, { learned }) => {
      const lambda = learned['lambda']!;
      const outputs = w.channels / bases;
      const filters = Array.from({ length: bases }, (_, i) => {
        const source = baseOf(w, i, bases);
        const alpha = floats(outputs).fill(lambda.data[i]!);
        const filter = signFilterOf(source, alpha);
        const backward = (g: Float32Array) => [
          gradientOf(w, (dw) => {
            const slope = floats(g.length);
            kernels().unaryBackward('clip-ste', source.data, g, slope, 1, 0);
            dw.fill(0);
            for (let r = 0; r < w.rows; r++)
              for (let c = 0; c < outputs; c++)
                dw[r * w.channels + i * outputs + c] = lambda.data[i]! * slope[r * outputs + c]!;
            release(slope);
          }),
          gradientOf(lambda, (dl) => {
            dl.fill(0);
            for (let j = 0; j < g.length; j++) dl[i]! += source.data[j]! < 0 ? -g[j]! : g[j]!;
          }),
        ];
        return record('binarizeWeights', [w, lambda], filter, backward, {
          saved: [filter.words, alpha, source.data],
        });
      });
      return { filters };
    },
  );
}

const activation = binarizeActivation(clippedSte);

const formId = (id: string, branches: number, usual = usualBranches): string =>
  branches === usual ? id : `${id}-k${branches}`;

/** Layer-wise decomposition: every convolution is a sum of K binary ones of the same signs (Zhuang et al., CVPR 2019, sec. 3.2.1). */
export const groupNetLayerwiseOf = (branches: number): Method =>
  defineMethod({
    id: formId('group-net-layerwise', branches),
    title: `Group-Net, ${branches} binary bases of each convolution`,
    paper: 'Zhuang et al., CVPR 2019',
    family: 'quantization-error',
    bits: { weight: branches, activation: 1 },
    bases: { count: branchRange, make: groupNetLayerwiseOf },
    weight: independentBases(branches),
    activation,
    clippedWeightEstimator: true,
    latentShape: (filter) => [...filter.slice(0, -1), filter.at(-1)! * branches],
    structure: { order: 'conv-bn', shortcut: 'every-conv', activation: 'none' },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
      rate: steps([0.5, 0.75, 0.9], 0.1),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });

export const groupNetLayerwise = groupNetLayerwiseOf(usualBranches);

const { latentShape: _, ...plain } = groupNetLayerwise;

/** Group-wise decomposition: every block is a sum of K binary blocks (sec. 3.2.2). */
export const groupNetGroupwiseOf = (branches: number): Method =>
  defineMethod({
    ...plain,
    id: formId('group-net-groupwise', branches),
    title: `Group-Net, ${branches} binary branches of each block`,
    bits: { weight: 1, activation: 1 },
    bases: { count: branchRange, make: groupNetGroupwiseOf },
    weight: binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'detached' }),
    structure: { ...plain.structure, branches: { count: branches, gated: false } },
  });

export const groupNetGroupwise = groupNetGroupwiseOf(usualBranches);

/** Group-wise, and soft gates learn how far the branches stay apart from block to block: the decomposition is learned (sec. 3.2.3, eq. 5-7). */
export const groupNetOf = (branches: number): Method =>
  defineMethod({
    ...groupNetGroupwise,
    id: formId('group-net', branches),
    title: `Group-Net, ${branches} binary branches with soft gates`,
    bases: { count: branchRange, make: groupNetOf },
    structure: { ...plain.structure, branches: { count: branches, gated: true } },
  });

export const groupNet = groupNetOf(usualBranches);

/**
 * Binary Parallel Atrous Convolution: of K branches each looks at its own scale, five of them with dilations 2 to 6 in a ResNet's third stage and 6
 * to 10 in its fourth (sec. 4 and the authors' code, where all branches got the last one). Made for segmentation, whose maps are larger than a
 * classifier's.
 */
export const groupNetBpacOf = (branches: number): Method =>
  defineMethod({
    ...groupNet,
    id: formId('group-net-bpac', branches, 5),
    revision: 2,
    title: `Group-Net BPAC, ${branches} branches of different dilations`,
    bases: { count: branchRange, make: groupNetBpacOf },
    structure: { ...plain.structure, branches: { count: branches, gated: true }, branchDilations: { 3: 2, 4: 6 } },
  });

export const groupNetBpac = groupNetBpacOf(5);
