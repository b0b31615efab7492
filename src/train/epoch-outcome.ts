import type { Truths } from '../data/truth.ts';
import { type Figures, figuresOf, logged } from '../tasks/figures.ts';
import type { Result, Task } from '../tasks/task.ts';
import { type Best, betterOf, finite } from './best.ts';
import type { Progress } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { loggedParts } from './loss-parts.ts';
import type { EpochMetrics } from './run-folder.ts';

/** What an epoch has come to. */
export interface EpochOutcome<R extends Result> {
  /** At its end. */
  readonly progress: Progress;
  readonly task: Task<Truths, R>;
  readonly evaluation: R;
  /** On the images held back, where there are some. */
  readonly validation: R | null;
}

/** The task's first figure while it trained, where it is counted. */
function counted<R extends Result>({ task, progress: { running } }: EpochOutcome<R>): Figures {
  return task.tally ? { [task.figures[0].name]: running.hits / running.images } : {};
}

/** The best epoch so far, this one included; undefined where the config asks for none. */
export function bestWith<R extends Result>(
  { keep, patience }: TrainConfig,
  outcome: EpochOutcome<R>,
): Best | undefined {
  if (keep === undefined && patience === undefined) return undefined;
  const { progress, task, validation } = outcome;
  const { epoch, running, best } = progress;
  const { images } = running;
  const judged: Omit<Best, 'epoch'> = validation
    ? { figures: finite(task.figures, validation), chosenOn: 'validation', images: validation.count }
    : { figures: { ...counted(outcome), loss: running.loss / images }, chosenOn: 'training', images };
  return betterOf(best, { epoch, ...judged }, task.figures[0]);
}

/** The line of the log. */
export function epochLine<R extends Result>(
  outcome: EpochOutcome<R>,
  {
    stage,
    rate,
    originalPixels,
    layers,
  }: Pick<EpochMetrics, 'rate' | 'layers'> & { stage: string | undefined; originalPixels: boolean | undefined },
): EpochMetrics {
  const { progress, task, evaluation, validation } = outcome;
  const { epoch, step, running } = progress;
  return {
    epoch,
    ...(stage === undefined ? {} : { stage }),
    step,
    rate,
    trainLoss: running.loss / running.images,
    ...loggedParts(running),
    ...logged('train', counted(outcome)),
    ...logged('test', figuresOf(task.figures, evaluation)),
    ...(validation ? logged('validation', figuresOf(task.figures, validation)) : {}),
    ...(originalPixels === undefined ? {} : { originalPixels }),
    imagesPerSecond: running.images / running.seconds,
    seconds: running.seconds,
    layers,
  };
}
