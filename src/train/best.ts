import * as z from 'zod';
import type { TrainConfig } from './config.ts';

/** The epoch a run was best after, and by what that was judged: never by the test images, whose accuracy is reported. */
export const bestSchema = z.object({
  /** Counts from 0. */
  epoch: z.int().nonnegative(),
  accuracy: z.number(),
  loss: z.number(),
  chosenOn: z.enum(['validation', 'training']),
  /** Images that the accuracy is of. */
  images: z.int(),
});

export type Best = z.infer<typeof bestSchema>;

export const bestFile = 'best.safetensors';

/** The better of the best so far and another epoch; equal accuracies are told apart by their loss. */
export function betterOf(best: Best | undefined, other: Best): Best {
  if (!best || other.accuracy > best.accuracy) return other;
  return other.accuracy === best.accuracy && other.loss < best.loss ? other : best;
}

/** Whether a run has waited for a better epoch as long as `--patience` says. @param epochs done */
export const hasStalled = ({ patience }: TrainConfig, best: Best | undefined, epochs: number): boolean =>
  patience !== undefined && best !== undefined && epochs - 1 - best.epoch >= patience;

/** `epoch 7, chosen on 5000 validation images: 91.20 %` */
export function bestText({ epoch, accuracy, chosenOn, images }: Best): string {
  const how = chosenOn === 'training' ? ' while it learned from them (no --validation was given)' : '';
  return `epoch ${epoch + 1}, chosen on ${images} ${chosenOn} images: ${(100 * accuracy).toFixed(2)} %${how}`;
}
