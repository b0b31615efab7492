import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Files that go into pages; in the package they lie beside this module too (scripts/copy-assets.mjs). */
type Asset = 'page.css' | 'charts.js';

export const asset = (name: Asset): string => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');

/** uPlot's script and style: pages hold them, so that they work offline and for ever. */
export function chartLibrary(): { readonly script: string; readonly style: string } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const [script, style] = ['uPlot.iife.min.js', 'uPlot.min.css'].map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  return { script: script!, style: style! };
}
