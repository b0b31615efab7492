import { UsageError } from '../core/errors.ts';
import type { Batch } from '../data/batches.ts';
import type { Truth, Truths } from '../data/truth.ts';
import type { Answers, Head, HeadPlace } from '../models/heads/head.ts';
import type { Drawing } from './drawing.ts';
import type { Figure } from './figures.ts';

/** What a network does on a set of images. */
export interface Result {
  readonly count: number;
  /** Images whose answer is NaN or infinite: the network diverged. */
  readonly notFinite: number;
}

/** Gathers what a network does on a whole set, batch by batch. */
export interface Score<T, R> {
  /** Takes the answers to a batch. @param answers valid until the call returns */
  add(answers: Answers, batch: Batch<T>): void;
  /** What all of them come to. */
  result(): R;
}

/**
 * What networks are trained for: what must be known of images, which heads learn from that, and how good an answer is.
 *
 * T: the columns of its truth, as batches have them. R: what a score comes to.
 */
export interface Task<T extends Truths = Truths, R extends Result = Result> {
  readonly id: string;
  readonly title: string;
  readonly truth: Truth<T>;
  /** That can do it; the first is the usual one. */
  readonly heads: readonly [Head<T>, ...Head<T>[]];
  /** Named numbers of a result: the first one says which of two runs, or epochs, is better. */
  readonly figures: readonly [Figure<R>, ...Figure<R>[]];
  /** An empty score of a network. @param head whose answers come */
  score(place: HeadPlace, head: Head<T>): Score<T, R>;
  /** The first figure summed over the images of a training batch, where it is a mean over images; without it a training shows its loss alone. */
  tally?(answers: Answers, batch: Pick<Batch<T>, 'mixture' | keyof T>): number;
  /** What a page shows of a result: the worst answers, usually. */
  draw?(result: R, place: Pick<HeadPlace, 'shape' | 'classes'>): readonly Drawing[];
  /** An answer in a few words, for `signum predict`; default as JSON. */
  tell?(answer: unknown, place: HeadPlace): string;
  /** What is wrong with a run that ended like this, in one line; null when nothing is. */
  verdict?(result: R): string | null;
}

/**
 * A task as a value.
 *
 * @throws UsageError when two figures have one name
 */
export function defineTask<T extends Truths, R extends Result>(task: Task<T, R>): Task<T, R> {
  const names = task.figures.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new UsageError(`task "${task.id}" has two figures "${twice}"; logs need a name for each`);
  return task;
}
