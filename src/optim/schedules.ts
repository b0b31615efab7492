/** Factor of the base learning rate at a point of the training; `progress` runs from 0 to 1, `epoch` is fractional. */
export type RateSchedule = (point: { readonly progress: number; readonly epoch: number }) => number;

export const constant = (): RateSchedule => () => 1;

/** 1/2 (1 + cos(pi p)): from 1 to 0 (Loshchilov and Hutter 2017). */
export const cosine =
  (): RateSchedule =>
  ({ progress }) =>
    0.5 * (1 + Math.cos(Math.PI * progress));

/** From 1 to 0 in a straight line. */
export const linear =
  (): RateSchedule =>
  ({ progress }) =>
    1 - progress;

/** (1 - p)^power */
export const polynomial =
  (power: number): RateSchedule =>
  ({ progress }) =>
    (1 - progress) ** power;

/** Multiplied by `factor` at each milestone, given as a share of the training in [0,1]. */
export const steps =
  (milestones: readonly number[], factor = 0.1): RateSchedule =>
  ({ progress }) =>
    factor ** milestones.filter((milestone) => progress >= milestone).length;

/** From 1 to `end` geometrically: BinaryConnect's decay. */
export const exponential =
  (end: number): RateSchedule =>
  ({ progress }) =>
    end ** progress;

/** Rises linearly from 0 over the first `epochs` epochs, on top of another schedule. */
export const warmUp =
  (epochs: number, then: RateSchedule): RateSchedule =>
  (point) =>
    then(point) * Math.min(1, (point.epoch + 1e-9) / epochs);
