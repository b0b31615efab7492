import { UsageError } from '../../core/errors.ts';
import type { Prediction } from '../../runtime/prediction.ts';
import { classification } from '../../runtime/tasks/classification.ts';
import { type MixedLabels, softmaxCrossEntropy, squaredHinge } from '../../tensor/ops/loss.ts';
import { defineHead } from './head.ts';

/** The classes of a batch, and which images `mixup` has mixed. */
export interface ClassBatch {
  readonly labels: Uint16Array;
  readonly mixture?: { readonly partners: ArrayLike<number>; readonly shares: Float32Array };
}

interface ClassTargets {
  readonly labels: Uint16Array;
  readonly mixed: MixedLabels | undefined;
}

/** Labels of the images that others are mixed with. */
export const mixedLabels = ({ labels, mixture }: ClassBatch): MixedLabels | undefined =>
  mixture && { labels: Uint16Array.from(mixture.partners, (partner) => labels[partner]!), shares: mixture.shares };

/** One of the classes: logits [N,classes], cross-entropy of their softmax or the squared hinge, and the best classes with their probabilities. */
export const classifier = defineHead<ClassBatch, ClassTargets, readonly Prediction[]>({
  id: 'classifier',
  outputs: ['logits'],
  build: (taps, classes) => {
    if (classes < 2) throw new UsageError(`a classifier needs at least two classes, got ${classes}`);
    return taps.vector(classes);
  },
  targets: (batch) => ({ labels: batch.labels, mixed: mixedLabels(batch) }),
  loss: ({ logits }, { labels, mixed }, { kind, labelSmoothing }) => {
    const total =
      kind === 'squared-hinge'
        ? squaredHinge(logits!, labels, mixed)
        : softmaxCrossEntropy(logits!, labels, labelSmoothing, mixed);
    return { total, parts: {} };
  },
  decode: classification.decode,
});

/** The head of a network that names none: the classifier, which files have always been without, or the usual one of a task that has no classifier. */
export const unnamedHead = <H>(heads: readonly [H, ...H[]]): H =>
  heads.find((head: unknown) => head === classifier) ?? heads[0];
