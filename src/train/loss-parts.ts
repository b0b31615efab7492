import { type Figures, logged } from '../tasks/figures.ts';

/** Sums over images of what a loss is made of; none where it is one. */
export function addedParts(sums: Figures = {}, parts: Figures, images: number): { parts?: Record<string, number> } {
  const names = Object.keys(parts);
  if (names.length === 0) return {};
  return { parts: Object.fromEntries(names.map((name) => [name, (sums[name] ?? 0) + parts[name]! * images])) };
}

/** Their means as a log has them: `trainLossSquared`. */
export const loggedParts = ({ parts = {}, images }: { parts?: Figures | undefined; images: number }): Figures => {
  const means = Object.entries(parts).map(([name, sum]) => [
    `loss${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    sum / images,
  ]);
  return logged('train', Object.fromEntries(means));
};
