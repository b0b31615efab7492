/** Started by resident-memory.ts: runs the packed network that comes on standard input, and says what memory that took. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Plugin } from '../train/plugin.ts';

const runs = 10;
const alone = process.memoryUsage.rss();
// loaded only now, so that what Node takes by itself is known
const { loadPackedModel } = await import('../runtime/packed-model.ts');
const { greyImages } = await import('./latency.ts');
const [batch, ...plugins] = [Number(process.argv[2]), ...process.argv.slice(3)] as [number, ...string[]];
const values = await Promise.all(
  plugins.map(async (file) => ((await import(pathToFileURL(file).href)) as { default: Plugin }).default),
);
const model = loadPackedModel(readFileSync(0), { ops: values.flatMap(({ packedOps = [] }) => packedOps) });
const image = greyImages(model, batch);
for (let i = 0; i < runs; i++) model.run(image);
process.stdout.write(JSON.stringify({ alone, resident: process.memoryUsage.rss() }));
