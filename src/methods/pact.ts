import { kernels } from '../backend/select.ts';
import { straightThrough } from '../binarize/estimators.ts';
import { codePlanes, withinMask } from '../binarize/level-activations.ts';
import { learning, type Quantizer } from '../binarize/quantizer.ts';
import { layerMean } from '../binarize/scales.ts';
import { binarizeWeights } from '../binarize/weights.ts';
import { plainCodes, unitCodes } from '../exact/level-codes.ts';
import type { Ties } from '../exact/unit-levels.ts';
import { sgd } from '../optim/optimizer.ts';
import { steps } from '../optim/schedules.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import { PlaneTensor } from '../tensor/tensor.ts';
import { maskedTotal } from '../tensor/totals.ts';
import { only } from './forms.ts';
import { defineMethod, type Method } from './method.ts';

/** As published; at 2 bits it would round nearly all of N(0,1) to 0, and only weight decay brings it down: 3 there. */
const firstAlpha = (bits: number) => (bits > 2 ? 10 : 3);
const leastAlpha = 1e-3;

/**
 * alpha quantize_k(clip(x,0,alpha)/alpha), alpha learned: dy/dalpha = 1[x >= alpha], dy/dx = 1[0 <= x < alpha].
 *
 * Source: Choi 2018 (PACT), eq. 1-3.
 */
export function clippedAt(bits: number, ties?: Ties): Quantizer<PlaneTensor> {
  const { thresholds } = unitCodes(bits, ties);
  return learning(
    () => ({ learned: { clip: { values: Float32Array.of(firstAlpha(bits)), decay: true } } }),
    (x, _context, { learned }) => {
      const clip = learned['clip']!;
      const alpha = Math.max(leastAlpha, clip.data[0]!);
      const codes = plainCodes(thresholds.map((threshold) => threshold * alpha));
      const step = alpha / (2 ** bits - 1);
      const planes = codePlanes(x, codes);
      const [inside, above] = [withinMask(x, 0, alpha), withinMask(x, alpha, Number.POSITIVE_INFINITY)];
      const backward = (dy: Float32Array) => [
        gradientOf(x, (dx) => kernels().maskBits(dy, inside, dx, x.rows, x.channels)),
        gradientOf(clip, (da) => da.fill(maskedTotal(x, dy, above))),
      ];
      const y = new PlaneTensor(planes, step, x.shape);
      return record('levelCodes', [x, clip], y, backward, {
        attributes: { codes, step },
        saved: [...planes, inside, above],
      });
    },
  );
}

/**
 * PACT: activations clipped at a level learned by gradient and cut to k bits, with DoReFa's 1-bit weights (Choi et al. 2018; survey
 * [74]).
 */
export function pactNet(bits: number): Method {
  return defineMethod({
    id: bits === 4 ? 'pact' : `pact-w1a${bits}`,
    revision: 2,
    title: `PACT, 1-bit weights, ${bits}-bit activations`,
    paper: 'Choi et al., 2018',
    family: 'quantization-error',
    bits: { weight: 1, activation: bits },
    widths: { weight: only(1), activation: { from: 2, to: 8 }, make: ({ activation }) => pactNet(activation) },
    weight: binarizeWeights({ scale: layerMean, estimator: straightThrough, scaleGradient: 'straight' }),
    activation: clippedAt(bits),
    structure: { order: 'conv-bn', shortcut: 'every-block', activation: 'relu' },
    defaults: {
      optimizer: sgd({ rate: 0.1, momentum: 0.9, weightDecay: 2e-4 }),
      rate: steps([0.3, 0.6, 0.9], 0.1),
      epochs: 200,
      batch: 128,
      loss: 'cross-entropy',
      clipLatent: false,
    },
  });
}
