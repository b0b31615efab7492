import type { Clock, Method } from '../methods/method.ts';
import type { TrainConfig } from './config.ts';

/** When the values of the method's schedule move, and when the rate does. */
export interface Clocks {
  readonly schedule: Clock;
  readonly rate: Clock;
}

/** The clocks of a run: its option's, else the method's. */
export function clocksOf({ clock }: Pick<TrainConfig, 'clock'>, { defaults }: Pick<Method, 'defaults'>): Clocks {
  const { schedule = 'step', rate = 'step' } = defaults.clock ?? {};
  return { schedule: clock ?? schedule, rate: clock ?? rate };
}

/** The time that a clock shows, in epochs. */
export const tickOf = (clock: Clock, epochs: number): number => (clock === 'epoch' ? Math.floor(epochs) : epochs);
