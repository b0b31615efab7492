import { kernels } from '../backend/select.ts';
import { binarizeActivation } from '../binarize/activations.ts';
import type { Estimator } from '../binarize/estimators.ts';
import { binarizeWithLearnedScale, startAt } from '../binarize/learned-scale.ts';
import { learning } from '../binarize/quantizer.ts';
import {
  type Rotation,
  randomRotation,
  refineRotation,
  rotate,
  rotateBack,
  squareFactors,
} from '../binarize/rotation.ts';
import { sampleStandardised } from '../binarize/sample-norm.ts';
import { filterMean } from '../binarize/scales.ts';
import { standardise, type WeightTransform } from '../binarize/transforms.ts';
import { compose } from '../binarize/weights.ts';
import { affineColumns } from '../exact/affine-columns.ts';
import { sgd } from '../optim/optimizer.ts';
import { cosine, warmUp } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { emptyTensor, gradientOf, record } from '../tensor/tape.ts';
import { defineMethod, type Method, type ModelRecipe } from './method.ts';

const [firstT, lastT] = [0.01, 10];
const rounds = 3;

/** Slope k max(0, sqrt(2) t - t^2 |x|): a triangle of area 2k that narrows as t grows (Lin 2020, eq. 18). */
const training = (parameters: (t: number) => { t: number; k: number }): Estimator => ({
  id: 'training-aware',
  slope: 'triangle',
  parameters: (context) => {
    const { t, k } = parameters(context.value('t', firstT));
    return [k * Math.SQRT2 * t, k * t * t];
  },
});
const weightSlope = training((t) => ({ t, k: Math.max(1 / t, 1) }));
export const activationSlope = training((t) => ({ t: Math.max(t, 1), k: 1 }));

/**
 * w + |sin theta_c| (R1' w R2 - w): filters on their way to the rotation that comes nearest to signs, theta learned per filter. The
 * rotations start at random, as in the authors' code, and are solved anew at the start of each epoch.
 *
 * Source: Lin 2020, eq. 12-14.
 */
export const rotated: WeightTransform = learning(
  ({ weight, random }) => {
    const { a, b } = squareFactors(weight.rows);
    return {
      learned: { angle: { values: new Float32Array(weight.channels).fill(Math.PI / 2), decay: true } },
      kept: {
        rotation1: randomRotation(a, random),
        rotation2: randomRotation(b, random),
        solvedEpoch: Float32Array.of(-1),
      },
    };
  },
  (w, context, { learned, kept }) => {
    const rotation: Rotation = { ...squareFactors(w.rows), r1: kept['rotation1']!, r2: kept['rotation2']! };
    const epoch = context.value('epoch', 0);
    if (context.training && epoch > kept['solvedEpoch']![0]!) {
      for (let i = 0; i < rounds; i++) refineRotation(w.data, rotation);
      kept['solvedEpoch']![0] = epoch;
    }
    const angle = learned['angle']!;
    const [share, rest, zero] = [floats(w.channels), floats(w.channels), floats(w.channels).fill(0)];
    for (let c = 0; c < share.length; c++) {
      share[c] = Math.abs(Math.sin(angle.data[c]!));
      rest[c] = 1 - share[c]!;
    }
    const followed = context.value('followRotation', 1) === 1;
    const turned = floats(w.size);
    rotate(w.data, rotation, turned);
    const y = emptyTensor(w.shape);
    affineColumns(kernels(), w.data, rest, zero, y.data, w.rows);
    affineColumns(kernels(), turned, share, zero, y.data, w.rows, y.data);
    const backward = (dy: Float32Array) => [
      gradientOf(w, (dw) => {
        if (!followed) return affineColumns(kernels(), dy, rest, zero, dw, w.rows);
        const along = floats(w.size);
        affineColumns(kernels(), dy, share, zero, along, w.rows);
        rotateBack(along, rotation, dw);
        affineColumns(kernels(), dy, rest, zero, dw, w.rows, dw);
        release(along);
      }),
      gradientOf(angle, (da) => {
        const straight = floats(w.channels);
        kernels().columnDots(dy, turned, da, w.rows, w.channels);
        kernels().columnDots(dy, w.data, straight, w.rows, w.channels);
        for (let c = 0; c < da.length; c++) {
          const slope = Math.sign(Math.sin(angle.data[c]!)) * Math.cos(angle.data[c]!);
          da[c] = slope * (da[c]! - straight[c]!);
        }
        release(straight);
      }),
    ];
    return record('rotated', [w, angle], y, backward, { saved: [share, rest, zero, turned] });
  },
);

/** Every convolution starts switched off beside its shortcut. */
const cifarResnet: ModelRecipe = { structure: { firstGamma: 1e-8, classifierStart: 'he' } };

/**
 * RBNN: rotates every layer's filters towards their signs before they are binarized (Lin et al., NeurIPS 2020, eq. 7-18). The gradient
 * follows the rotated weights as in the paper; the authors' code stops it there, which at its first angle leaves weights without any.
 * Each image's activations lose their mean before the sign, in packed networks too.
 */
export const rbnn = defineMethod({
  id: 'rbnn',
  revision: 2,
  title: 'Rotated Binary Neural Network',
  paper: 'Lin et al., NeurIPS 2020',
  family: 'quantization-error',
  bits: { weight: 1, activation: 1 },
  weight: compose(
    standardise,
    rotated,
    binarizeWithLearnedScale({ estimator: weightSlope, start: startAt(filterMean), weightGradient: 'through' }),
  ),
  activation: sampleStandardised({ centred: true, quantizer: binarizeActivation(activationSlope) }),
  schedule: ({ progress, epoch }) => ({ t: firstT * (lastT / firstT) ** progress, epoch: Math.floor(epoch) }),
  structure: {
    order: 'conv-bn',
    shortcut: 'every-conv',
    activation: 'hardtanh',
    head: 'norm',
    scaleInvariantWeights: true,
  },
  defaults: {
    optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
    rate: warmUp(5, cosine()),
    epochs: 1000,
    batch: 256,
    loss: 'cross-entropy',
    clipLatent: false,
    clock: { schedule: 'epoch', rate: 'epoch' },
    decay: 'all',
  },
  recipes: { resnet20: cifarResnet, resnet32: cifarResnet, resnet44: cifarResnet },
});

/**
 * RBNN as its authors' code trains it: rotated weights are constants to the gradient, so that latents learn through w - |sin theta| w alone: at first
 * nothing, and hardly more until weight decay has turned theta away from pi/2. Signs change as the rotations are solved anew.
 */
export const rbnnCode: Method = defineMethod({
  ...rbnn,
  id: 'rbnn-code',
  revision: 1,
  title: "RBNN, as its authors' code",
  schedule: (point) => ({ ...rbnn.schedule!(point), followRotation: 0 }),
});
