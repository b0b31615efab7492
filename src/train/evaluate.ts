import { DataError } from '../core/errors.ts';
import type { Batches } from '../data/batches.ts';
import type { Truths } from '../data/truth.ts';
import { classifier } from '../models/heads/classifier.ts';
import type { Answers } from '../models/heads/head.ts';
import type { Network } from '../models/network.ts';
import type { OutputNames } from '../models/outputs.ts';
import { classification, type Evaluation } from '../tasks/classification.ts';
import type { Score } from '../tasks/task.ts';
import { inference } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { pause } from './pause.ts';

export type { Evaluation, Mistake } from '../tasks/classification.ts';

/** Logits [N,classes] of a batch of normalised images; valid until the next call. */
export type Classifier = (images: Float32Array, count: number) => Float32Array;

/** What a network says of a batch, as arrays that nothing overwrites. @param images normalised [N,H,W,C] @param head that is trained */
export const answersOf = (network: Network, images: Tensor, head: OutputNames): Answers =>
  inference(() =>
    Object.fromEntries(Object.entries(network.outputs(images, head)).map(([name, { data }]) => [name, data.slice()])),
  );

/**
 * Shows a score all batches. Images that cannot be decoded do not count.
 *
 * @param answer what the network says of a batch of normalised images; valid until the next call
 * @throws InterruptError when a signal asks to stop, DataError when no image is left
 */
export async function judge<T extends Truths, R>(
  answer: (images: Float32Array, count: number) => Answers,
  batches: Batches<T>,
  score: Score<T, R>,
): Promise<R> {
  let seen = 0;
  let upcoming = batches.plain(0);
  for (let b = 0; b < batches.length; b++) {
    const batch = await upcoming;
    // image files decode on their own threads while this batch is answered
    if (b + 1 < batches.length) upcoming = batches.plain(b + 1);
    await pause();
    if (batch.count === 0) continue;
    score.add(answer(batch.images, batch.count), batch);
    seen += batch.count;
  }
  if (seen === 0) throw new DataError('evaluate: none of the images can be decoded');
  return score.result();
}

/**
 * Accuracy (top-1, top-5), mean cross-entropy and confusion matrix over all batches. Images that cannot be decoded do not count.
 *
 * @param classes of the network, which the labels index
 * @throws InterruptError when a signal asks to stop, ShapeError when the network has another number of them
 */
export const evaluate = (classify: Classifier, batches: Batches, classes: number): Promise<Evaluation> =>
  judge(
    (images, count) => ({ logits: classify(images, count) }),
    batches,
    classification.score(
      { shape: batches.shape, classes: Array.from({ length: classes }, String), settings: {} },
      classifier,
    ),
  );
