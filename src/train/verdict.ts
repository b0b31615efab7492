import type { Evaluation } from './evaluate.ts';

/**
 * What is wrong with a run that ended, in one line; null when nothing is. Chance is the share of the largest class, with two standard
 * deviations of what so many images give.
 */
export function verdictOn({ top1, loss, count, confusion, notFinite }: Evaluation): string | null {
  if (notFinite > 0)
    return `the run diverged: its answers to ${notFinite} of ${count} test images are not finite; lower --rate, or add --warm-up-epochs`;
  if (!Number.isFinite(loss))
    return `the run diverged: its test loss is ${loss}; lower --rate, add --warm-up-epochs, or check the data`;
  const largest = Math.max(...confusion.map((row) => row.reduce((a, b) => a + b, 0))) / count;
  if (top1 > largest + 2 * Math.sqrt((largest * (1 - largest)) / count)) return null;
  return `the run is at chance level: test accuracy ${(100 * top1).toFixed(2)} %, and always naming the largest class gives ${(100 * largest).toFixed(2)} %; train longer, change --rate, or see \`signum lint\``;
}
