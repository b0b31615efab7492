import { kernels } from '../backend/select.ts';

/** What an optimiser updates: an array, its gradient, and whether weight decay applies. */
export interface Trainable {
  readonly name: string;
  readonly data: Float32Array;
  readonly grad: Float32Array | null;
  readonly decay: boolean;
  /** In the place of the optimiser's, whatever `decay` says. */
  readonly ownDecay?: number | undefined;
  /** Multiplies the learning rate. */
  readonly rateFactor: number;
}

/** Moments kept per parameter, by name, e.g. `velocity` or `m` and `v`. */
export type OptimizerState = Map<string, Float32Array>;

/** The hyper-parameters of an update rule by name. */
export type RuleNumbers = Readonly<Record<string, number | boolean>>;

/** An update rule with its hyper-parameters; moments live in `state`, so that a checkpoint can hold them. */
export interface Optimizer {
  readonly id: string;
  readonly rate: number;
  readonly weightDecay: number;
  /** All of them: with `id`, what a run stores (`ruleOf`). */
  readonly numbers: RuleNumbers;
  /** One update of every parameter that has a gradient; `step` counts from 1. */
  update(parameters: readonly Trainable[], state: OptimizerState, rate: number, step: number): void;
}

/** The moment of that name, zero at first. */
export function moment(state: OptimizerState, name: string, parameter: Trainable): Float32Array {
  const key = `${parameter.name}/${name}`;
  let array = state.get(key);
  if (!array) {
    array = new Float32Array(parameter.data.length);
    state.set(key, array);
  }
  return array;
}

/** The weight decay of one parameter. */
const decayOf = ({ decay, ownDecay }: Trainable, weightDecay: number): number => ownDecay ?? (decay ? weightDecay : 0);

function forEachGradient(
  parameters: readonly Trainable[],
  visit: (p: Trainable, gradient: Float32Array) => void,
): void {
  for (const parameter of parameters) if (parameter.grad) visit(parameter, parameter.grad);
}

/** Numbers of stochastic gradient descent. */
export interface SgdOptions {
  readonly rate: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent; v <- momentum*v + g, w <- w - rate*v (or rate*(g + momentum*v) for Nesterov). */
export function sgd({ rate, momentum = 0, weightDecay = 0, nesterov = false }: SgdOptions): Optimizer {
  return {
    id: 'sgd',
    rate,
    weightDecay,
    numbers: { rate, momentum, weightDecay, nesterov },
    update: (parameters, state, current) =>
      forEachGradient(parameters, (p, g) =>
        kernels().sgdStep(
          p.data,
          g,
          moment(state, 'velocity', p),
          current * p.rateFactor,
          momentum,
          decayOf(p, weightDecay),
          nesterov,
        ),
      ),
  };
}

/** Numbers of Adam and AdaMax. */
export interface AdamOptions {
  readonly rate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** Adam (Kingma and Ba 2015, alg. 1), L2 weight decay. */
export function adam({ rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions): Optimizer {
  return {
    id: 'adam',
    rate,
    weightDecay,
    numbers: { rate, beta1, beta2, epsilon, weightDecay },
    update: (parameters, state, current, step) =>
      forEachGradient(parameters, (p, g) =>
        kernels().adamStep(
          p.data,
          g,
          moment(state, 'm', p),
          moment(state, 'v', p),
          current * p.rateFactor,
          beta1,
          beta2,
          epsilon,
          decayOf(p, weightDecay),
          1 - beta1 ** step,
          1 - beta2 ** step,
        ),
      ),
  };
}

/** AdaMax (Kingma and Ba 2015, alg. 2). */
export function adamax({ rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions): Optimizer {
  return {
    id: 'adamax',
    rate,
    weightDecay,
    numbers: { rate, beta1, beta2, epsilon, weightDecay },
    update: (parameters, state, current, step) =>
      forEachGradient(parameters, (p, g) =>
        kernels().adamaxStep(
          p.data,
          g,
          moment(state, 'm', p),
          moment(state, 'v', p),
          current * p.rateFactor,
          beta1,
          beta2,
          epsilon,
          decayOf(p, weightDecay),
          1 - beta1 ** step,
        ),
      ),
  };
}

/** Numbers of RMSprop. */
export interface RmspropOptions {
  readonly rate: number;
  readonly decay?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** RMSprop (Hinton 2012): the gradient over the root of its running mean square. */
export function rmsprop({ rate, decay = 0.99, epsilon = 1e-8, weightDecay = 0 }: RmspropOptions): Optimizer {
  return {
    id: 'rmsprop',
    rate,
    weightDecay,
    numbers: { rate, decay, epsilon, weightDecay },
    update: (parameters, state, current) =>
      forEachGradient(parameters, (p, g) =>
        kernels().rmspropStep(
          p.data,
          g,
          moment(state, 'v', p),
          current * p.rateFactor,
          decay,
          epsilon,
          decayOf(p, weightDecay),
        ),
      ),
  };
}
