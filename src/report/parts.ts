import { type Content, type Html, h } from './html.ts';

export const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;
export const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

/** A table that scrolls sideways where it is wider than the page. @param className of the box around it: `tall` scrolls under its head */
export function table(head: readonly Content[], rows: readonly (readonly Content[])[], className?: string): Html {
  const row = (tag: 'th' | 'td', cells: readonly Content[]) =>
    h(
      'tr',
      {},
      cells.map((cell) => h(tag, {}, cell)),
    );
  return wide(
    h(
      'table',
      {},
      h('thead', {}, row('th', head)),
      h(
        'tbody',
        {},
        rows.map((cells) => row('td', cells)),
      ),
    ),
    className,
  );
}

/** A box that scrolls sideways. */
export const wide = (content: Html, className?: string): Html =>
  h('div', { class: className ? `wide ${className}` : 'wide' }, content);

/** A table of values by colours: names down, names across, written upright. */
export function matrix(
  className: string,
  corner: string,
  across: readonly string[],
  rows: readonly { readonly name: string; readonly cells: readonly Html[] }[],
  box?: string,
): Html {
  const head = across.map((name) => h('th', { class: 'turned' }, h('span', {}, name)));
  const lines = rows.map(({ name, cells }) => h('tr', {}, h('th', {}, name), cells));
  return wide(
    h('table', { class: className }, h('thead', {}, h('tr', {}, h('th', {}, corner), head)), h('tbody', {}, lines)),
    box,
  );
}

/** What can be opened. */
export const folded = (summary: string, ...content: Content[]): Html =>
  h('details', {}, h('summary', {}, summary), content);

/** Colours and what they stand for. */
export const colorKey = (entries: readonly (readonly [name: string, color: string])[]): Html =>
  h(
    'div',
    { class: 'key' },
    entries.map(([name, color]) => h('span', {}, h('i', { style: `background:${color}` }), name)),
  );

/** A picture, every pixel of it `scale` pixels wide. */
export const picture = (
  { uri, width, height }: { readonly uri: string; readonly width: number; readonly height: number },
  scale: number,
  alt: string,
): Html => h('img', { src: uri, width: width * scale, height: height * scale, alt });
