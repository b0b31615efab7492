import { Batches } from '../data/batches.ts';
import { type DataSet, imagesOf, type Split } from '../data/dataset.ts';
import { pictureOf, type Shown, shown, shrunk } from '../data/picture.ts';
import type { Mistake } from './evaluate.ts';
import { escapeHtml, percent } from './report-page.ts';

/** A page with pictures must stay a page: 24 of this size are at most 300 kB. */
const mostSide = 64;
/** Small pictures are shown in whole multiples of their pixels, about this high. */
const shownSide = 72;

/** A wrong answer with its picture and the names of the classes. */
export interface ShownMistake {
  readonly picture: Shown;
  readonly truth: string;
  readonly taken: string;
  readonly confidence: number;
}

/** @param split what the mistakes' places count in */
export async function picturesOf(mistakes: readonly Mistake[], data: DataSet, split: Split): Promise<ShownMistake[]> {
  if (mistakes.length === 0) return [];
  const wrong = imagesOf(
    split,
    Uint32Array.from(mistakes, ({ place }) => place),
  );
  const { images, places } = await new Batches(data, wrong, mistakes.length).plain(0);
  return Array.from(places, (place, i) => {
    const { truth, taken, confidence } = mistakes[place]!;
    const picture = shown(shrunk(pictureOf(images, i, data), mostSide));
    return { picture, truth: data.classes[truth]!, taken: data.classes[taken]!, confidence };
  });
}

export function mistakesHtml(mistakes: readonly ShownMistake[]): string {
  const figures = mistakes.map(({ picture: { uri, width, height }, truth, taken, confidence }) => {
    const scale = Math.max(1, Math.round(shownSide / Math.max(width, height)));
    const [is, was] = [escapeHtml(truth), escapeHtml(taken)];
    return `<figure><img src="${uri}" width="${scale * width}" height="${scale * height}" alt="${is}, taken for ${was}"><figcaption><b>${is}</b><br>taken for <b>${was}</b><br>${percent(confidence, 1)} sure</figcaption></figure>`;
  });
  return `<div class="mistakes">${figures.join('')}</div>`;
}
