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

/** Cells are HTML already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) => row.map((cell) => `<${tag}>${cell}</${tag}>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}

/** Look of all reports, in light and dark. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1b2230;--soft:#5b6577;--paper:#fbfbfa;--card:#fff;--rule:#e3e5ea;--accent:#2457d6}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#9aa4b5;--paper:#14171d;--card:#1c2028;--rule:#2c323d;--accent:#7aa2ff}.u-legend,.u-axis{color:var(--ink)}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:2.5rem auto;padding:0 1.25rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}h3{font-size:.85rem;font-weight:600;color:var(--soft);margin:0 0 .3rem}p.sub{color:var(--soft);margin:.2rem 0 1.4rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem}
.figures div{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.8rem 1rem}.figures b{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums}.figures span{color:var(--soft);font-size:.85rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:1rem}.chart{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.8rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:600}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.7rem 1rem;overflow-x:auto}`;
