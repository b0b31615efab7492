import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
export const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;
export const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

/** uPlot's script and style, inlined so that the report is one file that works offline. */
export function chartLibrary(): { script: string; style: string } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  return {
    script: readFileSync(join(folder, 'uPlot.iife.min.js'), 'utf8'),
    style: readFileSync(join(folder, 'uPlot.min.css'), 'utf8'),
  };
}

/** Cells are HTML already. @param className of the box around the table: `tall` scrolls under its head */
export function table(head: readonly string[], rows: readonly (readonly string[])[], className = ''): string {
  const cells = (tag: string, row: readonly string[]) => row.map((cell) => `<${tag}>${cell}</${tag}>`).join('');
  return `<div class="${`wide ${className}`.trim()}"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}

/** A part of a page, under its own heading and in the table of contents. */
export interface Section {
  readonly title: string;
  /** Where the title is long: how the table of contents calls it. */
  readonly short?: string;
  /** What is to be seen, and how to read it: a sentence or two of HTML. */
  readonly note?: string;
  readonly html: string;
}

export interface Page {
  readonly title: string;
  readonly heading: string;
  readonly sub: string;
  /** Value and what it is, of the cards at the top. */
  readonly figures?: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly Section[];
  readonly style?: string;
  /** Script of the page; with it comes the chart library. */
  readonly script?: string;
}

const anchor = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** A page without external files, with a table of contents. Texts are plain, sections HTML. */
export function pageHtml({ title, heading, sub, figures = [], sections, style = '', script }: Page): string {
  const library = script === undefined ? null : chartLibrary();
  const ids = sections.map(({ title: name, short }, i) => `${anchor(short ?? name)}-${i + 1}`);
  const contents = sections.map(({ title: name, short }, i) => `<a href="#${ids[i]}">${escapeHtml(short ?? name)}</a>`);
  const body = sections.map(
    ({ title: name, note, html }, i) =>
      `<section id="${ids[i]}"><h2>${escapeHtml(name)}</h2>${note ? `<p class="sub">${note}</p>` : ''}${html}</section>`,
  );
  const cards = figures.map(
    ([label, value]) => `<div><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} — Signum</title>
<style>${library?.style ?? ''}${pageStyle}${style}</style><body>
<h1>${escapeHtml(heading)}</h1><p class="sub">${escapeHtml(sub)}</p>
${cards.length > 0 ? `<div class="figures">${cards.join('')}</div>` : ''}
<nav aria-label="contents">${contents.join('')}</nav>
${body.join('\n')}
${library ? `<script>${library.script}</script><script>${script}</script>` : ''}</body></html>
`;
}

/** Look of all reports, in light and dark, on a phone and on a desk. */
const pageStyle = `
:root{color-scheme:light dark;--ink:#1b2230;--soft:#5b6577;--paper:#fbfbfa;--card:#fff;--rule:#e3e5ea;--accent:#2457d6}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#9aa4b5;--paper:#14171d;--card:#1c2028;--rule:#2c323d;--accent:#7aa2ff}.u-legend,.u-axis{color:var(--ink)}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:2.5rem auto;padding:0 1.25rem;overflow-wrap:break-word}
h1{font-size:1.7rem;line-height:1.25;margin:0}h2{font-size:1.1rem;margin:0 0 .6rem}h3{font-size:.85rem;font-weight:600;color:var(--soft);margin:0 0 .3rem}p.sub{color:var(--soft);margin:.2rem 0 1rem}section p.sub{max-width:85ch}
section{margin-top:2.2rem;scroll-margin-top:3.2rem}section>h2+p.sub{margin-top:-.3rem}
nav{position:sticky;top:0;z-index:9;display:flex;gap:1.1rem;overflow-x:auto;margin:1.4rem -1.25rem 0;padding:.65rem 1.25rem;background:var(--paper);border-bottom:1px solid var(--rule);font-size:.86rem;white-space:nowrap}nav a{color:var(--accent);text-decoration:none}nav a:hover{text-decoration:underline}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:.8rem}
.figures div{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.8rem 1rem;min-width:0}.figures b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}.figures span{color:var(--soft);font-size:.85rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:1rem}.chart{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.8rem;min-width:0;overflow:hidden}
.wide{overflow-x:auto}.tall{max-height:34rem;overflow-y:auto;border:1px solid var(--rule);border-radius:8px}.tall thead th{position:sticky;top:0;background:var(--paper);z-index:1}@media print{.tall{max-height:none}nav{display:none}}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:600}
details{margin:.4rem 0}summary{cursor:pointer;color:var(--soft)}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;font-size:.86rem;margin:.8rem 0 0}dt{font-weight:600}dd{margin:0;color:var(--soft)}@media(max-width:600px){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
.u-legend{font-size:.8rem}.u-legend th,.u-legend td{border:0;white-space:normal}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.7rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere}`;
