import { UsageError } from '../core/errors.ts';
import type { Truths } from '../data/truth.ts';
import type { Method } from '../methods/method.ts';
import { unnamedHead } from '../models/heads/classifier.ts';
import { type Head, type HeadPlace, headSettings, type StoredHead } from '../models/heads/head.ts';
import { classification, type Evaluation } from '../tasks/classification.ts';
import { type AnyTask, headNamed, taskNamed } from '../tasks/table.ts';
import type { Result, Task } from '../tasks/task.ts';
import type { TrainConfig } from './config.ts';
import type { House } from './plugin.ts';

/** What a network is trained for: its task, the head that learns it, and the images and classes at hand. */
export interface Purpose<R extends Result = Evaluation> {
  readonly task: Task<Truths, R>;
  readonly head: Head;
  readonly place: HeadPlace;
}

/**
 * Of a task and a network for it: with the head that the network was built with.
 *
 * @throws UsageError when the network ends with a head of another task
 */
export function purposeOf<R extends Result>(
  task: Task<Truths, R>,
  { shape, classes }: Pick<HeadPlace, 'shape' | 'classes'>,
  built?: StoredHead,
): Purpose<R> {
  const head = built ? headNamed(task, built.id) : unnamedHead(task.heads);
  return { task, head, place: { shape, classes, settings: headSettings(head, built?.settings) } };
}

/** The task that options or a checkpoint name: classification where they do not. @param own looked at first */
export const taskOf = ({ task }: { readonly task?: string | undefined }, own: Pick<House, 'tasks'> = {}): AnyTask =>
  taskNamed(task ?? classification.id, own.tasks);

/** What networks are trained for where nobody says. */
export const classifying = (place: Pick<HeadPlace, 'shape' | 'classes'>): Purpose =>
  purposeOf(classification as unknown as Task<Truths, Evaluation>, place);

/** Each image is of one class: labels can be smoothed and mixed, and a teacher's answers are its opinion of them. */
export const tellsClasses = ({ truth }: Pick<Task<Truths, Result>, 'truth'>): boolean => 'labels' in truth;

/** @throws UsageError for a checkpoint of another task: its network says something else */
export function requireSameTask(
  { task: stored = classification.id }: { readonly task?: string | undefined },
  { id }: { id: string },
): void {
  if (stored !== id) throw new UsageError(`the network is of task "${stored}", not of "${id}"; go on with its own`);
}

/** @throws UsageError for an option, or a method, that only makes sense where each image is of one class */
export function requireFor({ task }: Pick<Purpose<Result>, 'task'>, config: TrainConfig, method: Method): void {
  if (tellsClasses(task)) return;
  if (method.teacher && method.teacher !== 'optional')
    throw new UsageError(
      `method "${method.id}" learns from a teacher's opinion of classes, and task "${task.id}" has none; take another method (\`signum methods\`)`,
    );
  const { loss, labelSmoothing, mixup, teacher, distill } = config;
  const given = Object.entries({ loss, labelSmoothing, mixup, teacher, distill }).find(([, value]) => value);
  if (given)
    throw new UsageError(
      `${given[0]} ${given[1]}: it is for images of one class each, and task "${task.id}" knows none; leave it out`,
    );
}
