// Installs the packages beside the bundlers of scripts/bundlers, and runs every block of docs/bundlers.md as it is printed there, in
// headless Chromium, Node.js and Deno: the answers must be those of Node.js, bit for bit. Needs a build (npm run build) and Debian's chromium.
//   node scripts/check-bundlers.mjs [--packed folder of tarballs, else they are packed first] [names of cases begin with: vite next]
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildNetwork, pack, Random, Tensor } from '../dist/index.js';
import { closeServer, serve, visit } from './bundlers/chromium.mjs';

const { values, positionals: asked } = parseArgs({ options: { packed: { type: 'string' } }, allowPositionals: true });
const root = fileURLToPath(new URL('..', import.meta.url));
const harness = join(root, 'scripts/bundlers');
// outside of the clone, whose packages and lock file bundlers would find
const work = process.env.BUNDLERS_FOLDER ?? mkdtempSync(join(tmpdir(), 'signum-bundlers-'));
const environment = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: '1',
  PATH: `node_modules/.bin${delimiter}${process.env.PATH}`,
};

/** Runs a documented command in a folder, without asking npx to look for what is there; returns what it prints. */
const run = (folder, command) =>
  execFileSync('sh', ['-c', command.replaceAll(/^npx /gm, '')], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

// the documented blocks, by the name behind their language
const blocks = new Map();
const guide = readFileSync(join(root, 'docs/bundlers.md'), 'utf8');
for (const [, name, text] of guide.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)) blocks.set(name, text);
const unused = new Set(blocks.keys());
function block(name) {
  assert(blocks.has(name), `docs/bundlers.md has no block ${name}`);
  unused.delete(name);
  return blocks.get(name);
}

function install() {
  mkdirSync(work, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(harness, file), join(work, file));
  const packed = values.packed ? resolve(values.packed) : join(work, 'packed');
  if (!values.packed) run(root, `node scripts/pack.mjs --no-build --out ${packed}`);
  const tarballs = readdirSync(packed).map((name) => join(packed, name));
  run(work, `npm install --no-save --ignore-scripts --no-audit --no-fund ${tarballs.join(' ')}`);
}

// a model, two images, and what they give in Node.js on each kind of kernels
const classes = Array.from({ length: 10 }, (_, i) => `class-${i}`);
function makeModel() {
  const shape = [32, 32, 3];
  const pixels = Uint8Array.from({ length: 2 * 3072 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const samples = new Float32Array(4 * 3072);
  new Random(2).fillNormal(samples, 0, 1);
  const network = buildNetwork({
    model: 'resnet20',
    method: 'bi-real',
    inputShape: shape,
    classes: 10,
    width: 1,
    seed: 1,
  });
  const source = { classes, mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };
  const { bytes } = pack(network, new Tensor(samples, [4, ...shape]), source);
  return { 'model.safetensors': bytes, pixels };
}
const answersOfNode = `
  import { readFileSync } from 'node:fs';
  import { kernels, load, loadPackedModel, loadWasm } from 'signum-bnn/runtime';
  const pixels = readFileSync('pixels');
  const builds = ['signum.wasm', 'signum-relaxed.wasm'].map((file) => import.meta.resolve('signum-bnn/' + file));
  const backends = [kernels(), await loadWasm(builds[0]), await loadWasm(builds[1])];
  const answers = backends.map(async (kernels) => {
    const model = loadPackedModel(readFileSync('model.safetensors'), { kernels });
    const digits = { data: pixels.subarray(0, 7 * 784), shape: [7, 28, 28, 1] };
    const zoo = await (await load('zoo:lfc-bnn-mnist', { kernels })).predict(digits);
    return { detail: kernels.detail, logits: [...model.run(model.normalise(pixels))], predictions: model.predict(pixels), zoo };
  });
  console.log(JSON.stringify(await Promise.all(answers)));`;

/** A folder of its own with these files, the model, the images, and the packages of the project before it. */
let packages = join(work, 'node_modules');
function project(name, files) {
  const folder = join(work, name);
  if (dirname(packages) !== folder) rmSync(folder, { recursive: true, force: true });
  const shared = Object.entries(model).flatMap(([file, bytes]) => [
    [file, bytes],
    [`public/${file}`, bytes],
  ]);
  for (const [path, content] of [['package.json', '{"type":"module"}'], ...shared, ...Object.entries(files)]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  renameSync(packages, join(folder, 'node_modules'));
  packages = join(folder, 'node_modules');
  rmSync(join(packages, '.vite'), { recursive: true, force: true });
  return folder;
}

/** A page's sources with the documented way to load a model. */
const pageProject = (name, { loadModel = 'page/load-model.js', from = 'signum-bnn/runtime', ...files } = {}) => {
  const page = '<!doctype html><meta charset="utf-8" /><script type="module" src="/main.js"></script>';
  return project(name, {
    'index.html': page,
    'public/index.html': page,
    'check.js': readFileSync(join(harness, 'main.js')),
    'main.js': "import { check } from './check.js'; check();",
    'load-model.js': block(loadModel).replace("'signum-bnn/runtime'", `'${from}'`),
    'classify.js': block('page/classify.js').replace("'signum-bnn/runtime'", `'${from}'`),
    'worker.js': block('page/worker.js'),
    'classify-in-worker.js': block('page/classify-in-worker.js'),
    ...files,
  });
};

let expected;
/** The kernels of Node.js that give these answers, bit for bit. */
function kernelsThatGive(field, values) {
  const found = expected.find((answer) => JSON.stringify(answer[field]) === JSON.stringify(values));
  assert(found, `${field} differ from those of Node.js: ${JSON.stringify(values)?.slice(0, 200)}`);
  return found.detail;
}

/** @param onPage what the console says where `load` finds no worker */
async function checkPage(address, { refusal, onPage = /^$/ } = {}) {
  const { error, logits, predictions, worker, loaded, said, shown, route, zoo } = await visit(address);
  if (refusal) {
    assert.match(error, refusal);
    return `refused: ${error}`;
  }
  assert.equal(error, undefined);
  const page = `page ${kernelsThatGive('logits', logits)}`;
  kernelsThatGive('predictions', predictions);
  const parts = [page, `worker ${kernelsThatGive('predictions', worker)}`];
  parts.push(`load ${kernelsThatGive('predictions', loaded)}${said && ' on the page'}`);
  assert.match(said, onPage);
  if (shown !== undefined) assert.equal(shown, classes.join(' '));
  if (zoo !== undefined) parts.push(`zoo ${kernelsThatGive('zoo', zoo)}`);
  if (route !== undefined) parts.push(`server ${kernelsThatGive('predictions', route)}`);
  return parts.join(', ');
}

/** The answers that a program prints. */
const checkProgram = (folder, command) => kernelsThatGive('predictions', JSON.parse(run(folder, command)));

/** Runs a server of the project while its page is checked. */
async function checkServer(folder, command, path = '') {
  const probe = createServer();
  const port = await new Promise((resolve) => probe.listen(0, '127.0.0.1', () => resolve(probe.address().port)));
  await new Promise((resolve) => probe.close(resolve));
  const options = { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'inherit'] };
  const server = spawn('sh', ['-c', `exec ${command} --port ${port}`], options);
  try {
    for (let waited = 0; ; waited++) {
      const ready = await fetch(`http://localhost:${port}/pixels`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return await checkPage(`http://localhost:${port}/${path}`);
      assert(waited < 300 && server.exitCode === null, `${command} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    server.kill();
  }
}

const nextFiles = {
  'next.config.mjs': block('next/next.config.mjs'),
  'app/page.jsx': block('next/app/page.jsx'),
  'app/classify/route.js': block('next/app/classify/route.js'),
  'app/layout.jsx': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;',
  'app/check/page.jsx': `'use client';
    import { useEffect } from 'react';
    import { check } from '../../check.js';
    export default function Check() {
      useEffect(() => void check({ page: '/', route: '/classify' }), []);
    }`,
};

/** The page loads a network of the zoo too. */
const withZoo = () => ({
  'main.js': "import { check } from './check.js'; import { loadDigits } from './zoo.js'; check({ zoo: loadDigits });",
  'zoo.js': block('page/zoo.js'),
});
const viteDev = () => ({ 'vite.config.js': block('vite/vite.config.js') });
/** One pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const cases = {
  'node import': () =>
    checkProgram(project('node', { 'classify.mjs': block('node/classify.mjs') }), 'node classify.mjs'),
  'node require': () => {
    const folder = project('require', { 'classify.cjs': block('node/classify.cjs') });
    // as Node.js did before 20.19
    const before = process.allowedNodeEnvironmentFlags.has('--no-experimental-require-module');
    return [
      checkProgram(folder, 'node classify.cjs'),
      ...(before ? [checkProgram(folder, 'node --no-experimental-require-module classify.cjs')] : []),
    ].join(', ');
  },
  'node without sharp and tar-stream': () => {
    const folder = project('bare', { 'classify.mjs': block('node/classify.mjs'), 'cat.png': picture });
    for (const name of ['sharp', 'tar-stream']) renameSync(join(packages, name), join(work, name));
    try {
      const answer = checkProgram(folder, 'node classify.mjs');
      assert.throws(
        () => run(folder, 'node node_modules/signum-bnn/dist/cli/main.js predict ./model.safetensors cat.png'),
        /needs the package sharp/,
      );
      return `${answer}; signum predict asks for sharp`;
    } finally {
      for (const name of ['sharp', 'tar-stream']) renameSync(join(work, name), join(packages, name));
    }
  },
  deno: () => checkProgram(project('deno', { 'classify.mjs': block('node/classify.mjs') }), block('deno/run')),
  'vite 8, build': () => {
    const folder = pageProject('vite-build', withZoo());
    run(folder, 'npx vite build');
    return checkPage(serve(join(folder, 'dist')));
  },
  'vite 8, dev': () => checkServer(pageProject('vite-dev', { ...viteDev(), ...withZoo() }), 'vite'),
  'vite 7, dev': () => checkServer(pageProject('vite-7-dev', viteDev()), 'node node_modules/vite-7/bin/vite.js'),
  webpack: () => {
    const folder = pageProject('webpack', withZoo());
    run(folder, 'npx webpack --mode production --entry ./main.js --output-path public');
    return checkPage(serve(join(folder, 'public')));
  },
  'next with turbopack': () => {
    const folder = pageProject('next', nextFiles);
    run(folder, 'npx next build');
    return checkServer(folder, 'next start', 'check');
  },
  'next with webpack': () => {
    const folder = pageProject('next-webpack', nextFiles);
    run(folder, 'npx next build --webpack');
    return checkServer(folder, 'next start', 'check');
  },
  'esbuild, inlined': () => {
    const folder = pageProject('esbuild', {
      loadModel: 'esbuild/load-model.js',
      from: 'signum-bnn/runtime/inline',
    });
    run(folder, block('esbuild/page'));
    return checkPage(serve(join(folder, 'public')));
  },
  'esbuild, a file': () => {
    const files = { 'classify.js': block('esbuild-file/classify.js') };
    const folder = pageProject('esbuild-file', { loadModel: 'esbuild-file/load-model.js', ...files });
    run(folder, block('esbuild-file/page'));
    return checkPage(serve(join(folder, 'public')), { onPage: /compute on the calling thread.*did not load/ });
  },
  'esbuild, neither': () => {
    const folder = pageProject('esbuild-plain');
    run(folder, block('esbuild/page'));
    return checkPage(serve(join(folder, 'public')), { refusal: /SignumError.*signum-bnn\/runtime\/inline/ });
  },
  '@signum-bnn/runtime in vite 8': () => {
    const folder = pageProject('runtime', { from: '@signum-bnn/runtime' });
    run(folder, 'npx vite build');
    return checkPage(serve(join(folder, 'dist')));
  },
  '@signum-bnn/runtime/inline in esbuild': () => {
    const folder = pageProject('runtime-inline', { from: '@signum-bnn/runtime/inline' });
    run(folder, block('esbuild/page'));
    return checkPage(serve(join(folder, 'public')));
  },
  'esbuild for a server': () => {
    const folder = project('esbuild-server', { 'classify.mjs': block('node/classify.mjs') });
    run(folder, block('esbuild/server'));
    return checkProgram(folder, 'node bundled.mjs');
  },
  'esbuild for a server, inlined': () => {
    const inlined = block('node/classify.mjs').replace('signum-bnn/runtime', 'signum-bnn/runtime/inline');
    const folder = project('esbuild-inlined', { 'classify.mjs': inlined });
    run(folder, 'npx esbuild classify.mjs --bundle --platform=node --outfile=bundled.cjs');
    rmSync(join(folder, 'classify.mjs'));
    return checkProgram(folder, 'node bundled.cjs');
  },
  'no bundler': () =>
    checkPage(
      serve(
        pageProject('plain', {
          loadModel: 'plain/load-model.js',
          from: './inline.js',
          'inline.js': readFileSync(join(packages, 'signum-bnn/dist/backend/bundle/inline.js')),
        }),
      ),
    ),
  "the example's page": async () => {
    const folder = project('example', { 'index.html': readFileSync(join(harness, 'example-page.html')) });
    const { shown } = await visit(serve(folder));
    assert.match(shown, /^1 \(\d+ %/);
    return shown;
  },
  'no bundler, files': () =>
    checkPage(serve(pageProject('files', { from: '/node_modules/signum-bnn/dist/backend/bundle/browser.js' }))),
};

install();
const model = makeModel();
const answering = project('answers', { 'answers.mjs': answersOfNode });
expected = JSON.parse(
  run(
    answering,
    `node ${Number.parseInt(process.versions.node, 10) < 21 ? '--experimental-wasm-relaxed-simd ' : ''}--experimental-import-meta-resolve answers.mjs`,
  ),
);
for (const [name, check] of Object.entries(cases)) {
  if (asked.length > 0 && !asked.some((start) => name.startsWith(start))) continue;
  const begin = performance.now();
  try {
    console.log(`${name}: ${await check()} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  } catch (error) {
    process.exitCode = 1;
    console.error(`${name}: ${error.stderr || error.stdout || error.message}`);
  }
}
if (asked.length === 0) assert.deepEqual([...unused], [], 'blocks of docs/bundlers.md that nothing runs');
closeServer();
renameSync(packages, join(work, 'node_modules'));
if (!process.env.BUNDLERS_FOLDER) rmSync(work, { recursive: true, force: true });
