import type { Method, TrainingDefaults } from '../methods/method.ts';
import { optimizerFrom, ruleOf } from '../optim/rules.ts';
import { scheduleFrom } from '../optim/schedules.ts';
import { optimizerOf, scheduleOf, type TrainConfig } from './config.ts';
import type { Effective } from './effective-schema.ts';

/** A method's defaults as they were stored. */
export const defaultsFrom = ({ optimizer, rate, ...rest }: Effective['defaults']): TrainingDefaults =>
  ({ ...rest, optimizer: optimizerFrom(optimizer), rate: scheduleFrom(rate) }) as unknown as TrainingDefaults;

/** Defaults with a run's options folded in, as they are stored. */
export function folded(config: TrainConfig, method: Pick<Method, 'defaults'>): Effective['defaults'] {
  const { defaults } = method;
  return {
    ...defaults,
    optimizer: ruleOf(optimizerOf(config, method)),
    rate: scheduleOf(config, method).stored,
    loss: config.loss ?? defaults.loss,
    clipLatent: config.clipLatent ?? defaults.clipLatent,
  };
}
