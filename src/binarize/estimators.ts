import type { UnaryOp } from '../backend/kernels.ts';
import type { BinarizeContext } from './context.ts';

/** Which slope stands in for the derivative of sign, which is zero almost everywhere. */
export interface Estimator {
  readonly id: string;
  /** The kernel that multiplies the gradient by the slope; null passes it unchanged. */
  readonly slope: UnaryOp | null;
  /** Parameters of the slope at this point of the training. */
  readonly parameters: (context: BinarizeContext) => readonly [p0: number, p1: number];
}

const estimator = (
  id: string,
  slope: UnaryOp | null,
  parameters: Estimator['parameters'] = () => [0, 0],
): Estimator => ({ id, slope, parameters });

/** Slope 1 everywhere (Bengio et al. 2013). */
export const straightThrough = estimator('identity', null);

/** Slope 1 where |x| <= width, else 0. */
export const clippedWithin = (width: number): Estimator => estimator('clip', 'clip-ste', () => [width, 0]);

/** Slope 1 where |x| <= 1, else 0 (Hubara 2016, eq. 4; survey eq. 5). */
export const clippedSte = clippedWithin(1);

/** Slope max(0, 2 - 2|x|): derivative of a piecewise quadratic sign (Liu 2018, eq. 5; survey eq. 12-13). */
export const approxSign = estimator('approx-sign', 'triangle', () => [2, 2]);

/** Derivative of SignSwish, b(2 - bx tanh(bx/2))/(1 + cosh bx) (Darabi 2018, eq. 4). */
export const swishSign = (beta = 5): Estimator => estimator('swish-sign', 'swish-sign', () => [beta, 0]);

/**
 * Error decay estimator: slope k t (1 - tanh(t x)^2), k = max(1/t, 1); t comes from the schedule (`t`).
 * Source: Qin et al. 2020 (IR-Net), eq. 8-9.
 */
export const errorDecay = estimator('ede', 'tanh-ste', (context) => {
  const t = context.value('t', 0.1);
  return [t, Math.max(1 / t, 1)];
});

/** Slope 1 - tanh(x)^2: of tanh, as in networks trained with it (Kim and Smaragdis 2016; Lahoud 2019). */
export const tanhSlope = estimator('tanh', 'tanh');

/** Estimators by the name that options give. */
export const estimators: readonly Estimator[] = [
  straightThrough,
  clippedSte,
  approxSign,
  swishSign(),
  errorDecay,
  tanhSlope,
];
