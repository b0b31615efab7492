import { Random } from '../core/random.ts';

/** What a method's schedule sets for the coming steps: `errorDecay` parameters, temperatures, thresholds. */
export type ScheduleValues = Readonly<Record<string, number>>;

/** The state that all binary layers of one network share: the mode, the method's current schedule values, randomness. */
export class BinarizeContext {
  training = true;
  values: ScheduleValues = {};
  readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** A scheduled value; the fallback serves networks used before their first epoch. */
  value(name: string, fallback: number): number {
    return this.values[name] ?? fallback;
  }
}
