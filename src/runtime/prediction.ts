export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/** softmax of one row of logits. */
export function probabilities(logits: Float32Array): Float32Array {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** The most probable classes of every row, best first. @param logits [N,classes] */
export function bestClasses(logits: Float32Array, classes: readonly string[], top: number): Prediction[][] {
  return Array.from({ length: logits.length / classes.length }, (_, n) =>
    Array.from(
      probabilities(logits.subarray(n * classes.length, (n + 1) * classes.length)),
      (probability, index): Prediction => ({ label: classes[index]!, index, probability }),
    )
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top),
  );
}
