import type { Shown } from '../../data/picture.ts';
import { escapeHtml, pageHtml, type Section } from '../../train/report-page.ts';
import type { LayerView, NetworkViews } from './views.ts';

/** How many screen pixels a pixel takes: maps are about this high, filters are a few pixels only. */
const mapHeight = 56;
const filterScale = 7;
const mapScale = ({ height }: Shown): number => Math.max(2, Math.min(7, Math.round(mapHeight / height)));

/** Style that a page with views needs. */
export const viewsStyle = `
.views img{image-rendering:pixelated;display:block;margin:.15rem 0}.views figure{margin:0 0 1.2rem;overflow-x:auto;padding:0;border:0;background:none}.views figcaption{color:var(--soft);font-size:.82rem;text-align:left;position:sticky;left:0}.views .examples{display:flex;flex-wrap:wrap;gap:0 1rem}
.shade{display:inline-block;width:.8em;height:.8em;border:1px solid #808080;vertical-align:-.05em;margin-right:.25em}
`;

const shade = (color: string) => `<span class="shade" style="background:${color}"></span>`;

/** Which colour is what. */
export const viewsNote = `${shade('#fff')}white is +1, ${shade('#000')}black is −1, ${shade('#808080')}gray is 0 or no tile. Values that are not signs: white is the largest of its tile, black as far below 0. One tile is one channel.`;

const image = ({ uri, width, height }: Shown, scale: number, about: string): string =>
  `<img src="${uri}" width="${width * scale}" height="${height * scale}" alt="${escapeHtml(about)}">`;

function layerHtml({ layer, arriving, used, filters }: LayerView, labels: readonly string[]): string {
  const strips = arriving.flatMap((map, i) => {
    const label = escapeHtml(labels[i]!);
    return [
      `<figcaption>${label}, as it arrives</figcaption>${image(map, mapScale(map), `${layer}: what arrives`)}`,
      `<figcaption>${label}, as it is used</figcaption>${image(used[i]!, mapScale(map), `${layer}: what is used`)}`,
    ];
  });
  return `<figure>${strips.join('')}<figcaption>its filters (columns) over the first input channels (rows)</figcaption>${image(filters, filterScale, `${layer}: filters`)}</figure>`;
}

function examplesHtml({ images, firstFilters }: NetworkViews): string {
  const examples = images
    .map(
      ({ label, picture }) =>
        `<figure>${image(picture, 2 * mapScale(picture), label)}<figcaption>${escapeHtml(label)}</figcaption></figure>`,
    )
    .join('');
  const first = firstFilters
    ? `<figure><figcaption>filters of the first layer, full precision</figcaption>${image(firstFilters, filterScale, 'first filters')}</figure>`
    : '';
  return `<div class="examples">${examples}</div>${first}`;
}

const labelsOf = ({ images }: NetworkViews) => images.map(({ label }) => label);

/** The pictures of one network, as a part of a page; `viewsNote` says what the colours are. */
export function viewsHtml(views: NetworkViews): string {
  const layers = views.layers.map(
    (view) => `<h3>layer ${escapeHtml(view.layer)}</h3>${layerHtml(view, labelsOf(views))}`,
  );
  return `<div class="views">${examplesHtml(views)}${layers.join('')}</div>`;
}

/** The same as a page of its own. */
export function viewsPage(title: string, views: NetworkViews): string {
  const inViews = (html: string) => `<div class="views">${html}</div>`;
  const layers = views.layers.map(
    (view): Section => ({
      title: `Layer ${view.layer}`,
      short: view.layer,
      html: inViews(layerHtml(view, labelsOf(views))),
    }),
  );
  return pageHtml({
    title,
    heading: title,
    sub: 'what the layers see, and their filters',
    sections: [{ title: 'Images', note: viewsNote, html: inViews(examplesHtml(views)) }, ...layers],
    style: viewsStyle,
  });
}
