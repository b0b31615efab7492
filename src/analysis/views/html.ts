import type { Shown } from '../../data/picture.ts';
import { type Html, h, pageHtml, picture, type Section, together } from '../../report/index.ts';
import type { LayerView, NetworkViews } from './views.ts';

/** How many screen pixels a pixel takes: maps are about this high, filters are a few pixels only. */
const mapHeight = 56;
const filterScale = 7;
const mapScale = ({ height }: Shown): number => Math.max(2, Math.min(7, Math.round(mapHeight / height)));

const shade = (color: string) => h('span', { class: 'shade', style: `background:${color}` });

/** Which colour is what. */
export const viewsNote = together(
  [shade('#fff'), 'white is +1, ', shade('#000'), 'black is −1, ', shade('#808080'), 'gray is 0 or no tile. '],
  'Values that are not signs: white is the largest of its tile, black as far below 0. One tile is one channel.',
);

const caption = (text: string) => h('figcaption', {}, text);

function layerHtml({ layer, arriving, used, filters }: LayerView, labels: readonly string[]): Html {
  const strips = arriving.map((map, i) => [
    caption(`${labels[i]!}, as it arrives`),
    picture(map, mapScale(map), `${layer}: what arrives`),
    caption(`${labels[i]!}, as it is used`),
    picture(used[i]!, mapScale(map), `${layer}: what is used`),
  ]);
  const own = caption('its filters (columns) over the first input channels (rows)');
  return h('figure', {}, strips, own, picture(filters, filterScale, `${layer}: filters`));
}

function examplesHtml({ images, firstFilters }: NetworkViews): Html {
  const examples = images.map(({ label, picture: image }) =>
    h('figure', {}, picture(image, 2 * mapScale(image), label), caption(label)),
  );
  const first =
    firstFilters &&
    h(
      'figure',
      {},
      caption('filters of the first layer, full precision'),
      picture(firstFilters, filterScale, 'first filters'),
    );
  return together(h('div', { class: 'examples' }, examples), first);
}

const labelsOf = ({ images }: NetworkViews) => images.map(({ label }) => label);

const inViews = (...content: readonly (Html | readonly Html[])[]) => h('div', { class: 'views' }, content);

/** The pictures of one network, as a part of a page; `viewsNote` says what the colours are. */
export function viewsHtml(views: NetworkViews): Html {
  const layers = views.layers.map((view) =>
    together(h('h3', {}, `layer ${view.layer}`), layerHtml(view, labelsOf(views))),
  );
  return inViews(examplesHtml(views), layers);
}

/** The same as a page of its own. */
export function viewsPage(title: string, views: NetworkViews): string {
  const layers = views.layers.map(
    (view): Section => ({
      title: `Layer ${view.layer}`,
      short: view.layer,
      content: inViews(layerHtml(view, labelsOf(views))),
    }),
  );
  return pageHtml({
    title,
    heading: title,
    sub: 'what the layers see, and their filters',
    sections: [{ title: 'Images', note: viewsNote, content: inViews(examplesHtml(views)) }, ...layers],
  });
}
