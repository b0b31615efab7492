import { adam, adamax, type Optimizer, rmsprop, sgd } from '../optim/optimizer.ts';
import { shiftAdamax } from '../optim/shift-adamax.ts';
import type { TrainConfig } from './config.ts';

/**
 * The optimiser of runs of version 0.1: an option for one of its numbers dropped the method's weight decay, momentum and Nesterov form. They
 * continue so.
 */
export function firstOptimizerOf(config: TrainConfig, inherited: Optimizer): Optimizer {
  const id = config.optimizer ?? inherited.id;
  const { momentum, weightDecay, nesterov } = config;
  const untouched = [config.rate, momentum, weightDecay, nesterov].every((value) => value === undefined);
  if (id === inherited.id && untouched) return inherited;
  const rate = config.rate ?? (id === inherited.id ? inherited.rate : id === 'sgd' ? 0.1 : 1e-3);
  const decay = weightDecay ?? 0;
  if (id === 'sgd') return sgd({ rate, momentum: momentum ?? 0.9, weightDecay: decay, nesterov: nesterov ?? false });
  if (id === 'shift-adamax') return shiftAdamax({ rate });
  const rule = { adamax, rmsprop }[id] ?? adam;
  return rule({ rate, weightDecay: decay });
}
