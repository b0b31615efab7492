// Runs `signum-bnn/runtime` in headless Chromium: bundles it as an app would, serves it with its .wasm and a packed network, and compares
// the browser's predictions with those of Node. Needs a build (npm run build:ts) and Debian's chromium; CHROMIUM names another.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { build } from 'esbuild';
import { buildNetwork, kernels, loadPackedModel, pack, Random, Tensor } from '../dist/index.js';

const dist = (path) => new URL(`../dist/${path}`, import.meta.url).pathname;
const count = 16;
const shape = [32, 32, 3];
const images = new Float32Array(count * 3072);
new Random(2).fillNormal(images, 0, 1);
const network = buildNetwork({
  model: 'resnet20',
  method: 'bi-real',
  inputShape: shape,
  classes: 10,
  width: 1,
  seed: 1,
});
const { bytes } = pack(network, new Tensor(images.slice(0, 2 * 3072), [2, ...shape]), {
  classes: Array.from({ length: 10 }, (_, i) => String(i)),
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
});
const expected = loadPackedModel(bytes).run(images);

const page = `
import { loadPackedModel, loadWasm } from ${JSON.stringify(dist('runtime/index.js'))};
const report = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
try {
  const kernels = await loadWasm(new URL('/', location.href));
  const model = loadPackedModel(await bytesOf('/model.safetensors'));
  const images = new Float32Array((await bytesOf('/images')).buffer);
  const logits = model.run(images).slice();
  const one = images.subarray(0, 3072);
  model.run(one);
  const begin = performance.now();
  for (let i = 0; i < 50; i++) model.run(one);
  report({ detail: kernels.detail, logits: [...logits], ms: (performance.now() - begin) / 50 });
} catch (error) {
  report({ error: String(error) });
}`;
const bundle = await build({
  stdin: { contents: page, resolveDir: new URL('..', import.meta.url).pathname },
  bundle: true,
  format: 'esm',
  write: false,
  platform: 'browser',
  conditions: ['browser'],
});
const html = '<!doctype html><meta charset="utf-8"><body><script type="module" src="/page.js"></script>';
const files = new Map([
  ['/', ['text/html', html]],
  ['/page.js', ['text/javascript', bundle.outputFiles[0].contents]],
  ['/model.safetensors', ['application/octet-stream', bytes]],
  ['/images', ['application/octet-stream', new Uint8Array(images.buffer)]],
  ['/signum.wasm', ['application/wasm', await readFile(dist('backend/wasm/signum.wasm'))]],
  ['/signum-relaxed.wasm', ['application/wasm', await readFile(dist('backend/wasm/signum-relaxed.wasm'))]],
]);
let answer;
const answered = new Promise((resolve) => {
  answer = resolve;
});
const server = createServer(async (request, response) => {
  if (request.method === 'POST') answer(Buffer.concat(await request.toArray()).toString());
  const [type, body] = files.get(request.url) ?? ['text/plain', ''];
  response.writeHead(files.has(request.url) ? 200 : 404, { 'content-type': type }).end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const browser = spawn(
  process.env.CHROMIUM ?? 'chromium',
  ['--headless', '--no-sandbox', '--disable-gpu', `http://127.0.0.1:${server.address().port}/`],
  { stdio: 'ignore' },
);
const tooLate = setTimeout(() => answer('{"error":"no answer within a minute"}'), 60_000);
browser.on('error', (problem) => answer(JSON.stringify({ error: problem.message })));
const { detail, logits, ms, error } = JSON.parse(await answered);
clearTimeout(tooLate);
browser.kill();
server.close();
server.closeAllConnections();
if (error) throw new Error(`in the browser: ${error}`);
const label = (values, i) => {
  const row = [...values.slice(i * 10, i * 10 + 10)];
  return row.indexOf(Math.max(...row));
};
const agreeing = Array.from({ length: count }, (_, i) => i).filter(
  (i) => label(logits, i) === label(expected, i),
).length;
const difference = Math.max(...logits.map((value, i) => Math.abs(value - expected[i])));
console.log(
  `Chromium, ${detail}: ${agreeing} of ${count} labels as in Node (${kernels().detail}), logits differ by at most ${difference.toExponential(1)}; resnet20, one image: ${ms.toFixed(2)} ms`,
);
if (agreeing < count || !(difference < 1e-3)) process.exitCode = 1;
