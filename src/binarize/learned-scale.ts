import { kernels } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { floats, release } from '../tensor/storage.ts';
import { gradientOf, record } from '../tensor/tape.ts';
import type { SignFilter, Tensor } from '../tensor/tensor.ts';
import type { Estimator } from './estimators.ts';
import { learning, type Quantizer } from './quantizer.ts';
import { type Scale, scaleColumns } from './scales.ts';
import { signFilterOf } from './weights.ts';

/** How a scale is learnt with the weights: from where it starts, and how its gradient is taken. */
export interface LearnedScaleOptions {
  readonly estimator: Estimator;
  /** First values of alpha, one per output channel, or one for the layer. */
  readonly start: (w: Tensor) => Float32Array;
  /** `through`: the weight's gradient is alpha*G*slope, the chain rule; `straight`: G*slope. */
  readonly weightGradient: 'through' | 'straight';
}

/** The start of a learned scale from a computed one. */
export const startAt =
  (scale: Scale) =>
  (w: Tensor): Float32Array =>
    scale(w);

/** Values drawn evenly from [0,1], by the size of the weights: the start of ReCU's code, and of those built on it. */
export function startAtRandom({ size, channels }: Tensor): Float32Array {
  const alpha = new Float32Array(channels);
  new Random(size).fillUniform(alpha, 0, 1);
  return alpha;
}

/** The same first value for every output channel. */
export const startOf =
  (value: number) =>
  (w: Tensor): Float32Array =>
    new Float32Array(w.channels).fill(value);

/**
 * alpha_c sign(w) with alpha learned by gradient: dL/dalpha_c = sum over the filter of G sign(w), G = dL/d(alpha sign w).
 *
 * Source: Bulat and Tzimiropoulos 2019 (XNOR-Net++), eq. 2; Esser-style scales of Yin 2018 ([97] of the survey).
 */
export function binarizeWithLearnedScale(options: LearnedScaleOptions): Quantizer<SignFilter> {
  return learning(
    ({ weight }) => ({ learned: { weightScale: { values: options.start(weight) } } }),
    (w, context, own) => {
      const alpha = own.learned['weightScale']!;
      const perChannel = spreadScale(alpha.data, w.channels);
      const filter = signFilterOf(w, perChannel);
      const backward = (g: Float32Array) => [
        gradientOf(w, (dw) => {
          const { slope, parameters } = options.estimator;
          if (slope) kernels().unaryBackward(slope, w.data, g, dw, ...parameters(context));
          else dw.set(g);
          if (options.weightGradient === 'through') scaleColumns(dw, perChannel, dw, w.rows);
        }),
        gradientOf(alpha, (da) => scaleGradient(w, g, da)),
      ];
      return record('binarizeWeights', [w, alpha], filter, backward, { saved: [filter.words, perChannel] });
    },
  );
}

function spreadScale(alpha: Float32Array, channels: number): Float32Array {
  const perChannel = floats(channels);
  for (let c = 0; c < channels; c++) perChannel[c] = alpha[c % alpha.length]!;
  return perChannel;
}

/** sum of G sign(w) per channel, or over all of them for one alpha. */
function scaleGradient(w: Tensor, g: Float32Array, da: Float32Array): void {
  const [signs, perChannel] = [floats(w.size), floats(w.channels)];
  kernels().unary('clip-ste', w.data, signs);
  kernels().columnDots(g, signs, perChannel, w.rows, w.channels);
  da.fill(0);
  for (let c = 0; c < perChannel.length; c++) da[c % da.length]! += perChannel[c]!;
  release(signs);
  release(perChannel);
}
