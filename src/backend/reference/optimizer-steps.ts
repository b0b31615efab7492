import type { Kernels } from '../kernels.ts';

/**
 * Weight decay is L2: added to the gradient. Formulas: PyTorch's SGD; Kingma and Ba 2015, alg. 1 and 2; Hinton's RMSprop. Every operation
 * is rounded to float32, as in the compiled backends.
 */

const f = Math.fround;

/**
 * A moment this small is 0, and so is the square of a gradient whose square would be: moments of weights without gradient would decay into
 * denormal numbers, which are slow.
 */
const [leastMoment, leastSquared] = [2 ** -100, 2 ** -56];
const moment = (value: number) => (Math.abs(value) < leastMoment ? 0 : value);

const decayed = (gradient: number, weight: number, decay: number) => f(gradient + f(f(decay) * weight));
const average = (old: number, fresh: number, keep: number) => moment(f(f(f(keep) * old) + f(f(1 - f(keep)) * fresh)));

/** Average of the squares of gradients. */
function averageSquare(old: number, gradient: number, keep: number): number {
  const root = Math.abs(gradient) < leastSquared ? 0 : gradient;
  return moment(f(f(f(keep) * old) + f(f(f(1 - f(keep)) * root) * root)));
}

export const sgdStep: Kernels['sgdStep'] = (w, g, velocity, rate, momentum, weightDecay, nesterov) => {
  for (let i = 0; i < w.length; i++) {
    const gradient = decayed(g[i]!, w[i]!, weightDecay);
    const v = moment(f(f(f(momentum) * velocity[i]!) + gradient));
    velocity[i] = v;
    w[i]! -= f(f(rate) * (nesterov ? f(gradient + f(f(momentum) * v)) : v));
  }
};

export const adamStep: Kernels['adamStep'] = (
  w,
  g,
  m,
  v,
  rate,
  beta1,
  beta2,
  epsilon,
  weightDecay,
  correction1,
  correction2,
) => {
  for (let i = 0; i < w.length; i++) {
    const gradient = decayed(g[i]!, w[i]!, weightDecay);
    m[i] = average(m[i]!, gradient, beta1);
    v[i] = averageSquare(v[i]!, gradient, beta2);
    const spread = f(f(Math.sqrt(f(v[i]! / f(correction2)))) + f(epsilon));
    w[i]! -= f(f(f(rate) * f(m[i]! / f(correction1))) / spread);
  }
};

export const adamaxStep: Kernels['adamaxStep'] = (
  w,
  g,
  m,
  v,
  rate,
  beta1,
  beta2,
  epsilon,
  weightDecay,
  correction1,
) => {
  for (let i = 0; i < w.length; i++) {
    const gradient = decayed(g[i]!, w[i]!, weightDecay);
    m[i] = average(m[i]!, gradient, beta1);
    v[i] = Math.max(f(f(beta2) * v[i]!), f(Math.abs(gradient) + f(epsilon)));
    w[i]! -= f(f(f(f(rate) / f(correction1)) * m[i]!) / v[i]!);
  }
};

export const rmspropStep: Kernels['rmspropStep'] = (w, g, v, rate, decay, epsilon, weightDecay) => {
  for (let i = 0; i < w.length; i++) {
    const gradient = decayed(g[i]!, w[i]!, weightDecay);
    v[i] = averageSquare(v[i]!, gradient, decay);
    w[i]! -= f(f(f(rate) * gradient) / f(f(Math.sqrt(v[i]!)) + f(epsilon)));
  }
};
