import type { Random } from '../../core/random.ts';

/** An error of 0 would give a network all the say. */
const leastError = 1e-6;

/**
 * One round of AdaBoost for several classes (SAMME): the network's weight alpha = ln((1-e)/e) + ln(C-1), e its weighted error, and images it got
 * wrong count exp(alpha) times as much. A network no better than chance gets no vote, and the weights begin anew.
 *
 * Source: Zhu 2019 (BENN), alg. 2; Hastie 2009, SAMME.
 *
 * @param importance of each image, their sum 1; overwritten
 * @param right whether the network named its class
 * @returns alpha
 */
export function boost(importance: Float64Array, right: readonly boolean[], classes: number): number {
  let error = 0;
  for (let i = 0; i < importance.length; i++) if (!right[i]) error += importance[i]!;
  const e = Math.max(leastError, error);
  const alpha = e < 1 ? Math.log((1 - e) / e) + Math.log(classes - 1) : Number.NEGATIVE_INFINITY;
  if (alpha <= 0) {
    importance.fill(1 / importance.length);
    return 0;
  }
  let total = 0;
  for (let i = 0; i < importance.length; i++) {
    if (!right[i]) importance[i]! *= Math.exp(alpha);
    total += importance[i]!;
  }
  for (let i = 0; i < importance.length; i++) importance[i]! /= total;
  return alpha;
}

/** As many places as there are images, drawn with replacement, each as often as it is important. */
export function drawn(importance: Float64Array, random: Random): Uint32Array {
  const upTo = new Float64Array(importance.length);
  let sum = 0;
  importance.forEach((value, i) => {
    sum += value;
    upTo[i] = sum;
  });
  return Uint32Array.from(importance, () => {
    const at = random.uniform() * sum;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}
