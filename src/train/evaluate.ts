import { argmax } from '../core/argmax.ts';
import { DataError, ShapeError } from '../core/errors.ts';
import type { Batches } from '../data/batches.ts';
import { probabilities } from '../runtime/prediction.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { pause } from './pause.ts';

/** A wrong answer. */
export interface Mistake {
  /** Of the image, in the split. */
  readonly place: number;
  /** Its class, and the one it was taken for. */
  readonly truth: number;
  readonly taken: number;
  /** Probability of the class it was taken for. */
  readonly confidence: number;
}

/** So many mistakes are kept. */
const mostMistakes = 24;

/** What a network does on the images of a split. */
export interface Evaluation {
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly count: number;
  /** Images with a logit that is NaN or infinite: the network diverged. They count as wrong. */
  readonly notFinite: number;
  /** [true class][predicted class] */
  readonly confusion: number[][];
  /** The most confident ones first. */
  readonly mistakes: readonly Mistake[];
}

/** Puts a mistake among the most confident ones, if it is one of them. */
function keep(mistakes: Mistake[], mistake: Mistake): void {
  const at = mistakes.findIndex(({ confidence }) => confidence < mistake.confidence);
  if (at < 0 && mistakes.length >= mostMistakes) return;
  mistakes.splice(at < 0 ? mistakes.length : at, 0, mistake);
  if (mistakes.length > mostMistakes) mistakes.pop();
}

/** Logits [N,classes] of a batch of normalised images; valid until the next call. */
export type Classifier = (images: Float32Array, count: number) => Float32Array;

/** Rank of the labelled class among the logits of its row: 0 is the best; ties with a class before it count against it. */
function rankOf(row: Float32Array, label: number): number {
  let better = 0;
  for (let c = 0; c < row.length; c++)
    if (c !== label && (row[c]! > row[label]! || (row[c] === row[label] && c < label))) better++;
  return better;
}

/**
 * Accuracy (top-1, top-5), mean cross-entropy and confusion matrix over all batches. Images that cannot be decoded do not count.
 *
 * @param classes of the network, which the labels index
 * @throws InterruptError when a signal asks to stop, ShapeError when the network has another number of them
 */
export async function evaluate(classify: Classifier, batches: Batches, classes: number): Promise<Evaluation> {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [hits, near, loss, total, notFinite] = [0, 0, 0, 0, 0];
  const mistakes: Mistake[] = [];
  let upcoming = batches.plain(0);
  for (let b = 0; b < batches.length; b++) {
    const { images, labels, places, count } = await upcoming;
    // image files decode on their own threads while this batch is classified
    if (b + 1 < batches.length) upcoming = batches.plain(b + 1);
    await pause();
    if (count === 0) continue;
    const logits = classify(images, count);
    if (logits.length !== count * classes)
      throw new ShapeError(
        `evaluate: the network answers ${count} images by ${logits.length} values, not ${count * classes}: it is not one of ${classes} classes, or the images are not of its size`,
      );
    loss += count * inference(() => softmaxCrossEntropy(new Tensor(logits.slice(), [count, classes]), labels).data[0]!);
    for (let i = 0; i < count; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const finite = row.every(Number.isFinite);
      if (!finite) notFinite++;
      // nothing is larger than NaN, so every class would be the best
      const rank = finite ? rankOf(row, labels[i]!) : Number.POSITIVE_INFINITY;
      if (rank === 0) hits++;
      if (rank < 5) near++;
      if (!finite) continue;
      const [truth, taken] = [labels[i]!, argmax(row)];
      confusion[truth]![taken]!++;
      if (taken !== truth) keep(mistakes, { place: places[i]!, truth, taken, confidence: probabilities(row)[taken]! });
    }
    total += count;
  }
  if (total === 0) throw new DataError('evaluate: none of the images can be decoded');
  return { top1: hits / total, top5: near / total, loss: loss / total, count: total, notFinite, confusion, mistakes };
}
