import * as z from 'zod';
import { classification } from '../tasks/classification.ts';
import { type Figure, type FigureName, type Figures, figuresOf, figureText, isBetter } from '../tasks/figures.ts';
import type { TrainConfig } from './config.ts';

const figuresSchema = z.object({
  /** Counts from 0. */
  epoch: z.int().nonnegative(),
  /** By the names of the task's figures; without validation images, what was counted in training and the loss. */
  figures: z.record(z.string(), z.number()),
  chosenOn: z.enum(['validation', 'training']),
  /** Images that the figures are of. */
  images: z.int(),
});

/** Of files from before tasks were values: `{ accuracy, loss }` in the place of `figures`. */
function withFigures(stored: unknown): unknown {
  if (stored === null || typeof stored !== 'object' || !('accuracy' in stored)) return stored;
  const { accuracy, loss, ...rest } = stored as { accuracy: unknown; loss?: unknown };
  return { ...rest, figures: { accuracy, loss } };
}

/** The epoch a run was best after, and by what that was judged: never by the test images, whose figures are reported. */
export const bestSchema = z.preprocess(withFigures, figuresSchema);

export type Best = z.infer<typeof figuresSchema>;

export const bestFile = 'best.safetensors';

/** What a training without validation images and without counts is judged by. */
const lossFigure: FigureName = { name: 'loss', title: 'loss', better: 'lower' };

/** An overflow is worse than any number, and JSON has none for it. */
export function finite<R>(figures: readonly Figure<R>[], result: R): Figures {
  const values = Object.entries(figuresOf(figures, result)).map(([name, value], i) => [
    name,
    Number.isFinite(value) ? value : figures[i]!.better === 'lower' ? Number.MAX_VALUE : -Number.MAX_VALUE,
  ]);
  return Object.fromEntries(values);
}

/** The better of the best so far and another epoch, by the task's first figure; where that is equal, by their loss. */
export function betterOf(best: Best | undefined, other: Best, first: FigureName): Best {
  if (!best) return other;
  const by = first.name in other.figures ? first : lossFigure;
  const [value, before] = [other, best].map(({ figures }) => figures[by.name] ?? Number.NaN) as [number, number];
  if (isBetter(by, value, before)) return other;
  const [loss, lossBefore] = [other.figures['loss'], best.figures['loss']];
  return value === before && loss !== undefined && lossBefore !== undefined && loss < lossBefore ? other : best;
}

/** Whether a run has waited for a better epoch as long as `--patience` says. @param epochs done */
export const hasStalled = ({ patience }: TrainConfig, best: Best | undefined, epochs: number): boolean =>
  patience !== undefined && best !== undefined && epochs - 1 - best.epoch >= patience;

/** `epoch 7, chosen on 5000 validation images: 91.20 %` @param first figure of the run's task */
export function bestText(
  { epoch, figures, chosenOn, images }: Best,
  first: FigureName = classification.figures[0],
): string {
  const how = chosenOn === 'training' ? ' while it learned from them (no --validation was given)' : '';
  const by = first.name in figures ? first : lossFigure;
  const text = figureText(by, figures[by.name] ?? Number.NaN);
  return `epoch ${epoch + 1}, chosen on ${images} ${chosenOn} images: ${by.isShare ? '' : `${by.title} `}${text}${how}`;
}
