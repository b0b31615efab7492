export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/** softmax of one row of logits. */
export function probabilities(logits: Float32Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(logits, (value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** The classes of one row of logits, best first; of equals the first. By logits: probabilities round, and many logits are one. */
export function ranked(logits: Float32Array): number[] {
  return Array.from(logits, (_, c) => c).sort((a, b) => (logits[a] === logits[b] ? a - b : logits[b]! - logits[a]!));
}

/** The most probable classes of every row, best first. @param logits [N,classes] */
export function bestClasses(logits: Float32Array, classes: readonly string[], top: number): Prediction[][] {
  return Array.from({ length: logits.length / classes.length }, (_, n) => {
    const row = logits.subarray(n * classes.length, (n + 1) * classes.length);
    const shares = probabilities(row);
    return ranked(row)
      .slice(0, top)
      .map((index): Prediction => ({ label: classes[index]!, index, probability: shares[index]! }));
  });
}
