import { UsageError } from '../core/errors.ts';

/** Where a training stands; `progress` runs from 0 to 1. */
export interface SchedulePoint {
  readonly progress: number;
  /** Fractional, but whole where the rate moves once an epoch. */
  readonly epoch: number;
  /** The rate stays for the whole epoch; default it moves at every step. */
  readonly wholeEpochs?: boolean;
}

/** A schedule as a run stores it. */
export type StoredSchedule =
  | { readonly id: 'constant' | 'cosine' | 'linear' }
  | { readonly id: 'polynomial'; readonly power: number }
  | { readonly id: 'step'; readonly milestones: readonly number[]; readonly factor: number }
  | { readonly id: 'exponential'; readonly end: number }
  | { readonly id: 'repeated'; readonly times: number; readonly of: StoredSchedule }
  | { readonly id: 'warm-up'; readonly epochs: number; readonly of: StoredSchedule };

/** Factor of the base learning rate at a point of the training, with what a run stores of it (`scheduleFrom` reads it). */
export interface RateSchedule {
  (point: SchedulePoint): number;
  readonly stored: StoredSchedule;
}

const schedule = (stored: StoredSchedule, factor: (point: SchedulePoint) => number): RateSchedule =>
  Object.assign(factor, { stored });

/** The rate stays what it is. */
export const constant = (): RateSchedule => schedule({ id: 'constant' }, () => 1);

/** 1/2 (1 + cos(pi p)): from 1 to 0 (Loshchilov and Hutter 2017). */
export const cosine = (): RateSchedule =>
  schedule({ id: 'cosine' }, ({ progress }) => 0.5 * (1 + Math.cos(Math.PI * progress)));

/** From 1 to 0 in a straight line. */
export const linear = (): RateSchedule => schedule({ id: 'linear' }, ({ progress }) => 1 - progress);

/** (1 - p)^power */
export const polynomial = (power: number): RateSchedule =>
  schedule({ id: 'polynomial', power }, ({ progress }) => (1 - progress) ** power);

/** Multiplied by `factor` at each milestone, given as a share of the training in [0,1]. */
export const steps = (milestones: readonly number[], factor = 0.1): RateSchedule =>
  schedule(
    { id: 'step', milestones, factor },
    ({ progress }) => factor ** milestones.filter((milestone) => progress >= milestone).length,
  );

/** From 1 to `end` geometrically: BinaryConnect's decay. */
export const exponential = (end: number): RateSchedule =>
  schedule({ id: 'exponential', end }, ({ progress }) => end ** progress);

/** Begins anew in each of so many equal parts of the training. */
export const repeated = (times: number, then: RateSchedule): RateSchedule =>
  schedule({ id: 'repeated', times, of: then.stored }, (point) =>
    then({ ...point, progress: (point.progress * times) % 1 }),
  );

/**
 * Rises linearly over the first `epochs` epochs: step by step from 0, on top of another schedule; or once an epoch as 1/n, 2/n ... 1, the
 * other schedule from the last of these on, over the epochs that are left (the code of RBNN, ReCU, SiMaN and BiPer).
 */
export const warmUp = (epochs: number, then: RateSchedule): RateSchedule =>
  schedule({ id: 'warm-up', epochs, of: then.stored }, (point) => {
    const { epoch, progress, wholeEpochs } = point;
    if (!wholeEpochs) return then(point) * Math.min(1, (epoch + 1e-9) / epochs);
    const first = Math.ceil(epochs) - 1;
    if (epoch < first) return (epoch + 1) / epochs;
    const left = epoch === 0 ? 1 : epoch / progress - first;
    return then({ progress: (epoch - first) / left, epoch: epoch - first, wholeEpochs });
  });

/** How each kind is made of what is stored of it. */
const kinds: { readonly [Id in StoredSchedule['id']]: (of: Extract<StoredSchedule, { id: Id }>) => RateSchedule } = {
  constant,
  cosine,
  linear,
  polynomial: ({ power }) => polynomial(power),
  step: ({ milestones, factor }) => steps(milestones, factor),
  exponential: ({ end }) => exponential(end),
  repeated: ({ times, of }) => repeated(times, scheduleFrom(of)),
  'warm-up': ({ epochs, of }) => warmUp(epochs, scheduleFrom(of)),
};

/** @throws UsageError for an unknown kind */
export function scheduleFrom(stored: StoredSchedule): RateSchedule {
  const make = Object.hasOwn(kinds, stored.id) ? kinds[stored.id] : undefined;
  if (!make) throw new UsageError(`unknown rate schedule "${stored.id}"; there are ${Object.keys(kinds).join(', ')}`);
  return make(stored as never);
}

/** The schedules that go by a name alone. */
export const namedSchedules = {
  constant: constant(),
  cosine: cosine(),
  linear: linear(),
  polynomial: polynomial(2),
  step: steps([0.5, 0.75, 0.9], 0.1),
} as const satisfies Readonly<Record<string, RateSchedule>>;
