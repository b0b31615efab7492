/** One class, and how sure the network is of it. */
export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/** softmax of one row of logits. */
export function probabilities(logits: Float32Array): Float64Array {
  let [largest, total] = [Number.NEGATIVE_INFINITY, 0];
  for (const logit of logits) largest = Math.max(largest, logit);
  const shares = new Float64Array(logits.length);
  for (const [c, logit] of logits.entries()) total += shares[c] = Math.exp(logit - largest);
  for (let c = 0; c < shares.length; c++) shares[c]! /= total;
  return shares;
}

/** The best classes of one row of logits, best first; of equals the first. By logits: probabilities round, and many logits are one. */
export function ranked(logits: Float32Array, top = logits.length): number[] {
  // most of a thousand classes never meet the slow comparison
  const least = logits.slice().sort().at(-top) ?? Number.NEGATIVE_INFINITY;
  const classes: number[] = [];
  for (let c = 0; c < logits.length; c++) if (!(logits[c]! < least)) classes.push(c);
  return classes.sort((a, b) => (logits[a] === logits[b] ? a - b : logits[b]! - logits[a]!)).slice(0, top);
}

/** The most probable classes of every row, best first. @param logits [N,classes] */
export function bestClasses(logits: Float32Array, classes: readonly string[], top: number): Prediction[][] {
  return Array.from({ length: logits.length / classes.length }, (_, n) => {
    const row = logits.subarray(n * classes.length, (n + 1) * classes.length);
    const shares = probabilities(row);
    return ranked(row, top).map(
      (index): Prediction => ({ label: classes[index]!, index, probability: shares[index]! }),
    );
  });
}
