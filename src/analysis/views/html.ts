import { escapeHtml } from '../../train/report-page.ts';
import type { NetworkViews, Shown } from './views.ts';

/** How many screen pixels a pixel takes: maps are about this high, filters are a few pixels only. */
const mapHeight = 56;
const filterScale = 5;
const mapScale = ({ height }: Shown): number => Math.max(2, Math.min(7, Math.round(mapHeight / height)));

/** Style that a page with views needs. */
export const viewsStyle = `
.views img{image-rendering:pixelated;display:block;margin:.15rem 0;max-width:100%}.views figure{margin:0 0 1.2rem;overflow-x:auto}.views figcaption{color:var(--soft);font-size:.82rem}.views .examples{display:flex;gap:1rem}
`;

const image = ({ uri, width, height }: Shown, scale: number, about: string): string =>
  `<img src="${uri}" width="${width * scale}" height="${height * scale}" alt="${escapeHtml(about)}">`;

/** The pictures of one network, as a part of a page. */
export function viewsHtml({ images, firstFilters, layers }: NetworkViews): string {
  const examples = images
    .map(
      ({ label, picture }) =>
        `<figure>${image(picture, 2 * mapScale(picture), label)}<figcaption>${escapeHtml(label)}</figcaption></figure>`,
    )
    .join('');
  const first = firstFilters
    ? `<figure><figcaption>filters of the first layer, full precision</figcaption>${image(firstFilters, filterScale, 'first filters')}</figure>`
    : '';
  const rows = layers.map(({ layer, arriving, used, filters }) => {
    const strips = arriving.flatMap((map, i) => [
      image(map, mapScale(map), `${layer}: what arrives`),
      image(used[i]!, mapScale(map), `${layer}: what is used`),
    ]);
    return `<figure><figcaption>layer ${escapeHtml(layer)}: for each image, the first channels as they arrive and as they are used</figcaption>${strips.join('')}<figcaption>its filters (columns) over the first input channels (rows)</figcaption>${image(filters, filterScale, `${layer}: filters`)}</figure>`;
  });
  return `<div class="views"><div class="examples">${examples}</div>${first}${rows.join('')}</div>`;
}
