/** Started by resident-memory.ts: runs the packed network that comes on standard input, and says what memory that took. */
import { readFileSync } from 'node:fs';

const images = 10;
const alone = process.memoryUsage.rss();
// loaded only now, so that what Node takes by itself is known
const { loadPackedModel } = await import('../runtime/packed-model.ts');
const model = loadPackedModel(readFileSync(0));
const batch = Number(process.argv[2]);
const image = new Float32Array(batch * model.graph.input.reduce((a, b) => a * b)).fill(0.5);
for (let i = 0; i < images; i++) model.run(image);
process.stdout.write(JSON.stringify({ alone, resident: process.memoryUsage.rss() }));
