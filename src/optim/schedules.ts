/** Where a rate is asked for: `progress` runs from 0 to 1. */
export interface RatePoint {
  readonly progress: number;
  /** Fractional, but whole where the rate moves once an epoch. */
  readonly epoch: number;
  /** The rate stays for the whole epoch; default it moves at every step. */
  readonly wholeEpochs?: boolean;
}

/** Factor of the base learning rate at a point of the training. */
export type RateSchedule = (point: RatePoint) => number;

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

/**
 * Rises linearly over the first `epochs` epochs: step by step from 0, on top of another schedule; or once an epoch as 1/n, 2/n ... 1, the
 * other schedule from the last of these on, over the epochs that are left (the code of RBNN, ReCU, SiMaN and BiPer).
 */
export const warmUp =
  (epochs: number, then: RateSchedule): RateSchedule =>
  (point) => {
    const { epoch, progress, wholeEpochs } = point;
    if (!wholeEpochs) return then(point) * Math.min(1, (epoch + 1e-9) / epochs);
    const first = Math.ceil(epochs) - 1;
    if (epoch < first) return (epoch + 1) / epochs;
    const left = epoch === 0 ? 1 : epoch / progress - first;
    return then({ progress: (epoch - first) / left, epoch: epoch - first, wholeEpochs });
  };
