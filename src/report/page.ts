import { SignumError } from '../core/errors.ts';
import { asset, chartLibrary } from './assets.ts';
import type { Chart } from './charts.ts';
import { type Content, Html, h } from './html.ts';

/** A part of a page, under its own heading and in the table of contents. */
export interface Section {
  readonly title: string;
  /** Where the title is long: how the table of contents calls it. */
  readonly short?: string;
  /** What is to be seen, and how to read it: a sentence or two. */
  readonly note?: Content;
  readonly content: Html;
  /** What is drawn in its boxes (`chartBox`). */
  readonly charts?: readonly Chart[];
}

export interface Page {
  readonly title: string;
  readonly heading: string;
  readonly sub: string;
  /** The cards at the top. */
  readonly figures?: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly Section[];
}

const anchor = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Code that goes into a page as it is. @throws SignumError when something in it would end its element */
function raw(code: string): Html {
  if (/<\/(script|style)/i.test(code)) throw new SignumError('a script or style of a page would end its own element');
  return new Html(code);
}
const script = (code: string) => h('script', {}, raw(code));
/** Data for the page's script; no text of it can end its element. */
const data = (id: string, value: unknown) =>
  h('script', { type: 'application/json', id }, new Html(JSON.stringify(value).replaceAll('<', '\\u003c')));

function sectionHtml({ title, note, content }: Section, id: string): Html {
  const [heading, words] = [h('h2', {}, title), note === undefined ? null : h('p', { class: 'sub' }, note)];
  return h('section', { id }, heading, words, content);
}

/** A page without external files, with a table of contents, for phone and desk, light and dark. */
export function pageHtml({ title, heading, sub, figures = [], sections }: Page): string {
  const charts = sections.flatMap((section) => section.charts ?? []);
  const library = charts.length > 0 ? chartLibrary() : null;
  const ids = sections.map(({ title: name, short }, i) => `${anchor(short ?? name)}-${i + 1}`);
  const entries = sections.map(({ title: name, short }, i) => h('a', { href: `#${ids[i]}` }, short ?? name));
  const cards = figures.map(([label, value]) => h('div', {}, h('b', {}, value), h('span', {}, label)));
  const head = [
    h('meta', { charset: 'utf-8' }),
    h('meta', { name: 'viewport', content: 'width=device-width,initial-scale=1' }),
    h('title', {}, `${title} — Signum`),
    h('style', {}, raw(`${library?.style ?? ''}${asset('page.css')}`)),
  ];
  const body = [
    h('h1', {}, heading),
    h('p', { class: 'sub' }, sub),
    cards.length > 0 ? h('div', { class: 'figures' }, cards) : null,
    h('nav', { 'aria-label': 'contents' }, entries),
    sections.map((section, i) => sectionHtml(section, ids[i]!)),
    library && [data('charts', charts), script(library.script), script(asset('charts.js'))],
  ];
  return `<!doctype html>\n${h('html', { lang: 'en' }, h('head', {}, head), h('body', {}, body))}\n`;
}
