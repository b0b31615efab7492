import { Batches } from '../data/batches.ts';
import { type DataSet, imagesOf, type Split } from '../data/dataset.ts';
import { pictureOf, type Shown, shown, shrunk } from '../data/picture.ts';
import { type Html, h, percent, picture } from '../report/index.ts';
import type { Mistake } from './evaluate.ts';

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
    const small = shrunk(pictureOf(images, i, data), mostSide);
    return { picture: shown(small), truth: data.classes[truth]!, taken: data.classes[taken]!, confidence };
  });
}

export function mistakesHtml(mistakes: readonly ShownMistake[]): Html {
  const figures = mistakes.map(({ picture: image, truth, taken, confidence }) => {
    const scale = Math.max(1, Math.round(shownSide / Math.max(image.width, image.height)));
    const words = [h('b', {}, truth), h('br', {}), 'taken for ', h('b', {}, taken), h('br', {})];
    return h(
      'figure',
      {},
      picture(image, scale, `${truth}, taken for ${taken}`),
      h('figcaption', {}, words, `${percent(confidence, 1)} sure`),
    );
  });
  return h('div', { class: 'mistakes' }, figures);
}
