import type { Network } from '../models/network.ts';
import type { Result } from '../tasks/task.ts';
import type { Best } from './best.ts';
import type { Evaluation } from './evaluate.ts';
import type { EpochMetrics } from './run-folder.ts';

/** What a progress display hears. */
export interface TrainEvents {
  /** After each step. */
  onStep?: (state: {
    epoch: number;
    batch: number;
    batches: number;
    loss: number;
    /** What the task counts in training, a mean over images: of classifiers, the share that was recognised. */
    accuracy?: number;
    imagesPerSecond: number;
  }) => void;
  /** After each epoch, once its checkpoint and its line of the log are written. */
  onEpoch?: (metrics: EpochMetrics) => void;
  /** How the images differ from what a checkpoint or a teacher is for, before the first step; and when a stage begins. */
  onNote?: (line: string) => void;
  /** Asked between steps; true saves and stops. */
  shouldStop?: () => boolean;
}

/** What people see of a run. */
export type RunEvents = Pick<TrainEvents, 'onStep' | 'onEpoch' | 'onNote'>;

/** How a training ended. */
export interface TrainResult<R extends Result = Evaluation> {
  readonly network: Network;
  /** On the test images. */
  readonly evaluation: R | null;
  /** False when stopped before the last epoch. */
  readonly finished: boolean;
  /** The best epoch, where the config asks for one; of the stage at hand. */
  readonly best: Best | null;
  /** `patience` ended the run before its last epoch. */
  readonly stoppedEarly: boolean;
}
