import { argmax } from '../core/argmax.ts';
import { ShapeError } from '../core/errors.ts';
import type { Batch } from '../data/batches.ts';
import type { Labels } from '../data/truth.ts';
import { classTruth } from '../data/truths/classes.ts';
import { type ClassBatch, classifier, mixedLabels } from '../models/heads/classifier.ts';
import type { Answers } from '../models/heads/head.ts';
import { probabilities } from '../runtime/prediction.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Drawing } from './drawing.ts';
import { defineTask, type Result, type Score } from './task.ts';

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

/** What a classifier does on the images of a split; `notFinite` ones count as wrong. */
export interface Evaluation extends Result {
  readonly top1: number;
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
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

/** Rank of the labelled class among the logits of its row: 0 is the best; ties with a class before it count against it. */
function rankOf(row: Float32Array, label: number): number {
  let better = 0;
  for (let c = 0; c < row.length; c++)
    if (c !== label && (row[c]! > row[label]! || (row[c] === row[label] && c < label))) better++;
  return better;
}

/** Accuracy (top-1, top-5), mean cross-entropy, confusion matrix and the surest mistakes. */
class ClassScore implements Score<Labels, Evaluation> {
  private readonly classes: number;
  private readonly confusion: number[][];
  private readonly mistakes: Mistake[] = [];
  private hits = 0;
  private near = 0;
  private loss = 0;
  private count = 0;
  private notFinite = 0;

  constructor(classes: number) {
    this.classes = classes;
    this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  }

  /** @throws ShapeError when the network has another number of classes */
  add({ logits }: Answers, { labels, places, count }: Batch): void {
    const { classes } = this;
    if (logits?.length !== count * classes)
      throw new ShapeError(
        `evaluate: the network answers ${count} images by ${logits?.length} values, not ${count * classes}: it is not one of ${classes} classes, or the images are not of its size`,
      );
    const answered = new Tensor(logits.slice(), [count, classes]);
    this.loss += count * inference(() => softmaxCrossEntropy(answered, labels).data[0]!);
    for (let i = 0; i < count; i++) this.note(logits.subarray(i * classes, (i + 1) * classes), labels[i]!, places[i]!);
    this.count += count;
  }

  private note(row: Float32Array, truth: number, place: number): void {
    // nothing is larger than NaN, so every class would be the best
    if (!row.every(Number.isFinite)) {
      this.notFinite++;
      return;
    }
    const rank = rankOf(row, truth);
    if (rank === 0) this.hits++;
    if (rank < 5) this.near++;
    const taken = argmax(row);
    this.confusion[truth]![taken]!++;
    if (taken !== truth) keep(this.mistakes, { place, truth, taken, confidence: probabilities(row)[taken]! });
  }

  result(): Evaluation {
    const { count, hits, near, loss, notFinite, confusion, mistakes } = this;
    return { top1: hits / count, top5: near / count, loss: loss / count, count, notFinite, confusion, mistakes };
  }
}

/** A mixture counts by the share that was hit. */
function countHits({ logits }: Answers, batch: ClassBatch): number {
  const { labels } = batch;
  const mixed = mixedLabels(batch);
  const classes = logits!.length / labels.length;
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const said = argmax(logits!.subarray(i * classes, (i + 1) * classes));
    const share = mixed ? mixed.shares[i]! : 1;
    if (said === labels[i]) hits += share;
    if (said === mixed?.labels[i]) hits += 1 - share;
  }
  return hits;
}

/** Chance is the share of the largest class, with two standard deviations of what so many images give. */
export function verdictOn({ top1, loss, count, confusion, notFinite }: Evaluation): string | null {
  if (notFinite > 0)
    return `the run diverged: its answers to ${notFinite} of ${count} test images are not finite; lower --rate, or add --warm-up-epochs`;
  if (!Number.isFinite(loss))
    return `the run diverged: its test loss is ${loss}; lower --rate, add --warm-up-epochs, or check the data`;
  const largest = Math.max(...confusion.map((row) => row.reduce((a, b) => a + b, 0))) / count;
  if (top1 > largest + 2 * Math.sqrt((largest * (1 - largest)) / count)) return null;
  return `the run is at chance level: test accuracy ${(100 * top1).toFixed(2)} %, and always naming the largest class gives ${(100 * largest).toFixed(2)} %; train longer, change --rate, or see \`signum lint\``;
}

/** One of the classes for each image: what Signum's networks have always been trained for. */
export const classification = defineTask<Labels, Evaluation>({
  id: 'classification',
  title: 'one class an image',
  truth: classTruth,
  heads: [classifier],
  figures: [
    { name: 'accuracy', title: 'accuracy', better: 'higher', isShare: true, of: ({ top1 }) => top1 },
    { name: 'loss', title: 'loss', better: 'lower', of: ({ loss }) => loss },
    { name: 'top5', title: 'top-5 accuracy', better: 'higher', isShare: true, fromClasses: 11, of: ({ top5 }) => top5 },
  ],
  score: ({ classes }) => new ClassScore(classes.length),
  tally: countHits,
  verdict: verdictOn,
  draw: ({ mistakes }, { classes }) =>
    mistakes.map(({ place, truth, taken, confidence }): Drawing => {
      const [was, said] = [classes[truth]!, classes[taken]!];
      return {
        place,
        alt: `${was}, taken for ${said}`,
        lines: [[{ name: was }], ['taken for ', { name: said }], [`${(100 * confidence).toFixed(1)} % sure`]],
      };
    }),
});
