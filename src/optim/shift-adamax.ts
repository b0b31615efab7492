import { nearestPowerOfTwo } from '../core/power-of-two.ts';
import type { Optimizer } from './optimizer.ts';
import { moment } from './optimizer.ts';

/** 1 - 2^-3 and 1 - 2^-10: averages by shifts. */
const [beta1, beta2] = [1 - 2 ** -3, 1 - 2 ** -10];

/**
 * Shift-based AdaMax: m <- b1 m + (1-b1) g, v <- max(b2 v, |g|), w <- w - AP2(rate/(1-b1^t)) m AP2(1/v), all factors powers of two.
 *
 * Source: Hubara 2016, alg. 4; survey [57].
 */
export function shiftAdamax({ rate = 2 ** -10 }: { readonly rate?: number } = {}): Optimizer {
  return {
    id: 'shift-adamax',
    rate,
    weightDecay: 0,
    numbers: { rate },
    update: (parameters, state, current, step) => {
      for (const parameter of parameters) {
        const { data: w, grad: g, rateFactor } = parameter;
        if (!g) continue;
        const [m, v] = [moment(state, 'm', parameter), moment(state, 'v', parameter)];
        const stride = nearestPowerOfTwo((current * rateFactor) / (1 - beta1 ** step));
        for (let i = 0; i < w.length; i++) {
          m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
          v[i] = Math.max(beta2 * v[i]!, Math.abs(g[i]!));
          if (v[i]! > 0) w[i]! -= stride * m[i]! * nearestPowerOfTwo(1 / v[i]!);
        }
      }
    },
  };
}
