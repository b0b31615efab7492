import { DataError, ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats } from '../storage.ts';
import { record } from '../tape.ts';
import { Tensor } from '../tensor.ts';

function checkLabels(op: string, logits: Tensor, labels: ArrayLike<number>): void {
  if (logits.shape.length !== 2 || labels.length !== logits.rows) {
    throw new ShapeError(`${op}: logits ${formatShape(logits.shape)} need one label per row, got ${labels.length}`);
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= logits.channels) {
      throw new DataError(
        `${op}: label ${label} of sample ${i} is not a class of the ${logits.channels} the model has (0..${logits.channels - 1})`,
      );
    }
  }
}

/** Rows that are mixtures: `shares[row]` of their own label, the rest of this one. */
export interface MixedLabels {
  readonly labels: ArrayLike<number>;
  readonly shares: ArrayLike<number>;
}

/** How much of each row is of the class, in [0,1]. */
const classShare =
  (labels: ArrayLike<number>, mixed: MixedLabels | undefined) =>
  (row: number, c: number): number => {
    const share = mixed ? mixed.shares[row]! : 1;
    return (c === labels[row] ? share : 0) + (mixed && c === mixed.labels[row] ? 1 - share : 0);
  };

/** softmax of each row of [N,K], into `out`. */
export function softmaxRows(logits: Float32Array, classes: number, out: Float32Array): void {
  for (let first = 0; first < logits.length; first += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = first; i < first + classes; i++) largest = Math.max(largest, logits[i]!);
    let total = 0;
    for (let i = first; i < first + classes; i++) {
      out[i] = Math.exp(logits[i]! - largest);
      total += out[i]!;
    }
    for (let i = first; i < first + classes; i++) out[i]! /= total;
  }
}

/**
 * Mean cross-entropy of softmax(logits), optionally against smoothed labels (1-s on the class, s/K everywhere).
 *
 * @param logits [N,K]
 * @param labels N class indices
 * @param mixed where rows are of two classes each
 * @throws DataError for a label outside 0..K-1
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: ArrayLike<number>,
  smoothing = 0,
  mixed?: MixedLabels,
): Tensor {
  checkLabels('softmaxCrossEntropy', logits, labels);
  if (mixed) checkLabels('softmaxCrossEntropy', logits, mixed.labels);
  const shareOf = classShare(labels, mixed);
  const [n, k] = [logits.rows, logits.channels];
  const probabilities = floats(logits.size);
  softmaxRows(logits.data, k, probabilities);
  const target = (row: number, c: number) => (1 - smoothing) * shareOf(row, c) + smoothing / k;
  let total = 0;
  for (let row = 0; row < n; row++)
    for (let c = 0; c < k; c++) {
      const t = target(row, c);
      // NaN must stay NaN: Math.max would hide it
      const p = probabilities[row * k + c]!;
      if (t > 0) total -= t * Math.log(Math.max(p, 1e-30));
    }
  const backward = (g: Float32Array) => {
    const dx = floats(logits.size);
    for (let i = 0; i < dx.length; i++) dx[i] = (g[0]! * (probabilities[i]! - target(Math.floor(i / k), i % k))) / n;
    return [dx];
  };
  const loss = new Tensor(floats(1).fill(total / n), [1]);
  return record('softmaxCrossEntropy', [logits], loss, backward, { saved: [probabilities] });
}

/**
 * Mean over samples and classes of max(0, 1 - y*o)^2, y = +1 for the class, -1 for the others.
 * Source: L2-SVM as used by BinaryConnect and BNN (Courbariaux 2015, sec. 3; Hubara 2016).
 */
export function squaredHinge(logits: Tensor, labels: ArrayLike<number>, mixed?: MixedLabels): Tensor {
  checkLabels('squaredHinge', logits, labels);
  if (mixed) checkLabels('squaredHinge', logits, mixed.labels);
  const k = logits.channels;
  const shareOf = classShare(labels, mixed);
  const slack = (i: number, y: 1 | -1) => Math.max(0, 1 - y * logits.data[i]!);
  let total = 0;
  for (let i = 0; i < logits.size; i++) {
    const share = shareOf(Math.floor(i / k), i % k);
    total += share * slack(i, 1) ** 2 + (1 - share) * slack(i, -1) ** 2;
  }
  const backward = (g: Float32Array) => {
    const dx = floats(logits.size);
    for (let i = 0; i < dx.length; i++) {
      const share = shareOf(Math.floor(i / k), i % k);
      dx[i] = (2 * g[0]! * ((1 - share) * slack(i, -1) - share * slack(i, 1))) / logits.size;
    }
    return [dx];
  };
  return record('squaredHinge', [logits], new Tensor(floats(1).fill(total / logits.size), [1]), backward);
}
