import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import type { Truths } from '../data/truth.ts';
import type { Head } from '../models/heads/head.ts';
import { classification } from './classification.ts';
import type { Result, Task } from './task.ts';

/** A task of whatever truth and result. */
export type AnyTask = Task<Truths, Result>;

/** Every task by its name, for `--task`. */
export const tasks: readonly AnyTask[] = [classification as unknown as AnyTask];

/** @param own looked at first @throws UsageError naming the nearest known task */
export function taskNamed(id: string, own: readonly Pick<AnyTask, 'id' | 'title'>[] = []): AnyTask {
  // of whatever truth: who hands in a task hands in its data too
  const all = [...(own as readonly AnyTask[]), ...tasks];
  const task = all.find((candidate) => candidate.id === id);
  if (task) return task;
  const ids = all.map((each) => each.id);
  throw new UsageError(
    `unknown task "${id}"${suggestion(id, ids)}; there is ${ids.join(', ')}; one of your own comes with --plugin <its file>, or as a value`,
  );
}

/** A head of a task. @param id default the usual one @throws UsageError naming those that it has */
export function headNamed<T extends Truths, R extends Result>({ id: task, heads }: Task<T, R>, id?: string): Head<T> {
  const head = id === undefined ? heads[0] : heads.find((candidate) => candidate.id === id);
  if (head) return head;
  const ids = heads.map((each) => each.id);
  throw new UsageError(`task "${task}" has no head "${id}"${suggestion(id!, ids)}; it has ${ids.join(', ')}`);
}
