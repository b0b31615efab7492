import { kernels } from '../backend/select.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { codePlanes, withinMask } from '../binarize/level-activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { layerMean, meanMagnitude } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { nextFloat, plainCodes } from '../exact/level-codes.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import { PlaneTensor } from '../tensor/tensor.ts';
import { maskedTotal } from '../tensor/totals.ts';
import { only } from './forms.ts';
import { defineMethod, type Method, type UpdateRule } from './method.ts';

/** First resolutions by bits, as in the authors' code. */
const firstStep: Record<number, number> = { 1: 1.2221, 2: 0.6511, 4: 0.1946 };
const [leastStep, largestStep] = [1e-3, 5];
const stepRate = 0.01;
const blend = 1e-5;

/**
 * a ceil(x/a) on (0, aL], L = 2^k - 1 levels, a learned with a three-valued proxy: dy/da = 0 below, (L+1)/2 inside, L above.
 *
 * Source: Yin 2019 (BCGD), sec. 2.2.
 */
export function roundedUp(bits: number): Quantizer<PlaneTensor> {
  const levels = 2 ** bits - 1;
  return learning(
    () => ({ learned: { step: { values: Float32Array.of(firstStep[bits] ?? 1 / levels), rateFactor: stepRate } } }),
    (x, _context, { learned }) => {
      const own = learned['step']!;
      const step = Math.min(largestStep, Math.max(leastStep, own.data[0]!));
      const codes = plainCodes(
        // the float32 just above i steps is the first to be rounded up to i + 1
        Float32Array.from({ length: levels }, (_, i) => nextFloat(i * step)),
      );
      const planes = codePlanes(x, codes);
      const inside = withinMask(x, nextFloat(0), levels * step);
      const above = withinMask(x, nextFloat(levels * step), Number.POSITIVE_INFINITY);
      const backward = (dy: Float32Array) => [
        gradientOf(x, (dx) => kernels().maskBits(dy, inside, dx, x.rows, x.channels)),
        gradientOf(own, (da) => {
          const rest = floats(x.size);
          rest.set(dy);
          const gradient = ((levels + 1) / 2) * maskedTotal(x, rest, inside) + levels * maskedTotal(x, dy, above);
          release(rest);
          da[0] = Math.max(-1, Math.min(1, gradient));
        }),
      ];
      const y = new PlaneTensor(planes, step, x.shape);
      return record('levelCodes', [x, own], y, backward, {
        attributes: { codes, step },
        saved: [...planes, inside, above],
      });
    },
  );
}

/** w <- (1-rho) w + rho Q(w), Q(w) = mean|w| sign(w) of the layer (survey eq. 15). */
export function blendWithBinary(w: Float32Array, rho: number): void {
  const alpha = meanMagnitude(w);
  for (let i = 0; i < w.length; i++) w[i] = (1 - rho) * w[i]! + rho * (w[i]! < 0 ? -alpha : alpha);
}

const blended: UpdateRule = {
  beforeStep: (layers) => {
    for (const { weight } of layers) blendWithBinary(weight.data, blend);
  },
};

/**
 * BCGD: blended coarse gradient descent; each update first moves weights a little towards their binary values, and activations round
 * up on a learned resolution (Yin et al. 2019, alg. 1; survey [91], eq. 15).
 * Like its reference it starts from a trained float network.
 */
export const bcgdOf = (bits: number): Method =>
  defineMethod({
    id: bits === 4 ? 'bcgd' : `bcgd-w1a${bits}`,
    start: 'float',
    title: `Blended Coarse Gradient Descent, ${bits}-bit activations`,
    paper: 'Yin et al., 2019',
    family: 'gradient-error',
    bits: { weight: 1, activation: bits },
    widths: { weight: only(1), activation: { from: 1, to: 8 }, make: ({ activation }) => bcgdOf(activation) },
    weight: binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' }),
    activation: roundedUp(bits),
    update: blended,
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.95, weightDecay: 1e-4 }),
      rate: steps([0.4, 0.7], 0.1),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });

export const bcgd = bcgdOf(4);
export const bcgdOneBit = bcgdOf(1);
