import { hardtanh, softsign, tanh } from '../tensor/ops/activation.ts';
import { scale } from '../tensor/ops/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { Quantizer } from './quantizer.ts';
import type { ActivationBits, WeightBits } from './terms.ts';

/** Which smooth curve stands in for sign, also forwards, while a network is still soft. */
export type SoftCurve = 'tanh' | 'softsign' | 'hardtanh';

const curves = { tanh, softsign, hardtanh };

/** curve(sharpness x): tends to sign(x) as the sharpness grows. */
export const softSign = (x: Tensor, curve: SoftCurve, sharpness: number): Tensor => curves[curve](scale(x, sharpness));

/** A quantizer that is a curve first and grows into the hard one. */
export interface SofteningOptions<Hard> {
  readonly curve: SoftCurve;
  /** Schedule value that holds the sharpness; absent or infinite: the hard quantizer. */
  readonly sharpness: string;
  /** Used at test time, and in training once the sharpness is infinite. */
  readonly hard: Quantizer<Hard>;
}

/**
 * Trains with a smooth curve that sharpens, tests with the sign: the gradient is the true one of what is computed.
 *
 * Source: Lahoud 2019 (Self-Binarizing Networks), sec. 3; Bulat 2019, sec. 4.2.
 */
export function softened<Hard extends ActivationBits | WeightBits>({
  curve,
  sharpness,
  hard,
}: SofteningOptions<Hard>): Quantizer<Hard | Tensor> {
  const apply = (x: Tensor, context: BinarizeContext, own?: Parameters<typeof hard>[2]): Hard | Tensor => {
    const value = context.value(sharpness, Number.POSITIVE_INFINITY);
    return context.training && Number.isFinite(value) ? softSign(x, curve, value) : hard(x, context, own);
  };
  return hard.start ? Object.assign(apply, { start: hard.start }) : apply;
}
