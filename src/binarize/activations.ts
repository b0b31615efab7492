import { kernels } from '../backend/select.ts';
import { wordsPerRow } from '../core/bits.ts';
import { words } from '../tensor/storage.ts';
import { emptyTensor, needsGradient, record } from '../tensor/tape.ts';
import { SignTensor, type Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { Estimator } from './estimators.ts';
import { estimated, type Quantizer } from './quantizer.ts';
import type { ActivationBits } from './terms.ts';

/** Turns activations into signs (packed), bit-planes, sums of such, or leaves them float. */
export type ActivationQuantizer = Quantizer<ActivationBits>;

/**
 * sign(x) as packed bits; the estimator decides what gradient returns, by a slope at x.
 *
 * Source: survey eq. 3 (sign(0) = +1).
 */
export function signActivation(x: Tensor, estimator: Estimator, context: BinarizeContext): SignTensor {
  const { rows, channels } = x;
  const packed = words(rows * wordsPerRow(channels));
  kernels().packSigns(x.data, packed, rows, channels);
  const output = new SignTensor(packed, x.shape);
  const { slope } = estimator;
  const [p0, p1] = estimator.parameters(context);
  // the op that made x multiplies by the slope, on its way through its own values
  const backward = (dy: Float32Array) => [slope ? { values: dy, slope, p0, p1 } : dy];
  return record('sign', [x], output, backward, { saved: needsGradient([x]) ? [packed] : [] });
}

/** Deterministic sign. */
export function binarizeActivation(estimator: Estimator): Quantizer<SignTensor> {
  return estimated((slope) => (x, context) => signActivation(x, slope, context), estimator);
}

/**
 * +1 with probability hardsigmoid(x) = clip((x+1)/2, 0, 1) while training, sign(x) at test time: the sign of x plus uniform
 * noise on (-1,1).
 *
 * Source: Hubara 2016, eq. 2; survey eq. 6-7.
 */
export function stochasticActivation(estimator: Estimator): Quantizer<SignTensor> {
  return estimated(noisySign, estimator);
}

function noisySign(estimator: Estimator): Quantizer<SignTensor> {
  return (x, context) => {
    if (!context.training) return signActivation(x, estimator, context);
    const noisy = emptyTensor(x.shape);
    context.random.fillUniform(noisy.data, -1, 1);
    // the order of the two terms only mirrors the noise
    kernels().add(noisy.data, x.data, noisy.data);
    // the slope belongs to x, not to the noisy value
    const signs = new SignTensor(words(x.rows * wordsPerRow(x.channels)), x.shape);
    kernels().packSigns(noisy.data, signs.words, x.rows, x.channels);
    const backward = (dy: Float32Array) => {
      if (estimator.slope) kernels().unaryBackward(estimator.slope, x.data, dy, dy, ...estimator.parameters(context));
      return [dy];
    };
    return record('sign', [x], signs, backward, { saved: [signs.words] });
  };
}

/** Activations stay float (1-bit weights only). */
export const floatActivation: Quantizer<Tensor> = (x) => x;
