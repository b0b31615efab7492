// Makes the files of `signum-bnn/runtime`, one each for Node.js (import and require), for browsers, and with the WebAssembly
// kernels inlined: a program starts in a third of the time that its forty modules take, and a page asks for one file.
// They lie beside dist/backend/platform, so that its relative addresses (.wasm files, addon) hold in them.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const folder = join(dist, 'backend/bundle');

/** Two builds behind each other zip to little more than one. */
const wasmBuilds = {
  name: 'wasm-builds',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^#wasm-builds$/ }, () => ({ path: 'wasm-builds', namespace: 'wasm-builds' }));
    onLoad({ filter: /./, namespace: 'wasm-builds' }, () => {
      const [simd, relaxed] = ['signum', 'signum-relaxed'].map((name) =>
        readFileSync(join(root, `src/backend/wasm/${name}.wasm`)),
      );
      const zipped = gzipSync(Buffer.concat([simd, relaxed]), { level: 9 }).toString('base64');
      const ranges = { simd: [0, simd.length], relaxed: [simd.length, simd.length + relaxed.length] };
      return {
        contents: `export const zipped = ${JSON.stringify(zipped)}; export const ranges = ${JSON.stringify(ranges)};`,
      };
    });
  },
};
/** What starts threads is no part of what a page's worker reaches. */
const starts = { node: 'node-threads', browser: 'start-web-thread', inline: 'inline' };
const platform = (name) => ({
  name: 'platform',
  setup({ onResolve }) {
    onResolve({ filter: /^#platform$/ }, () => ({ path: join(root, `src/backend/platform/${name}.ts`) }));
    onResolve({ filter: /^#start-thread$/ }, () => ({ path: join(root, `src/backend/platform/${starts[name]}.ts`) }));
  },
});

const notice =
  '/*! signum-bnn, Apache-2.0. Holds parts of fflate, MIT, copyright Arjun Barrett: LICENSE.fflate beside it */';
const entry = join(root, 'src/runtime/index.ts');
const options = (on) => ({
  bundle: true,
  format: 'esm',
  // fflate's variant for Node.js would load worker threads
  platform: 'neutral',
  conditions: ['browser'],
  external: ['node:*'],
  target: 'es2022',
  plugins: [platform(on), wasmBuilds],
  banner: { js: notice },
  // half the size; names stay, for stacks that can be read
  minifyWhitespace: true,
  lineLimit: 160,
  logLevel: 'warning',
});
/** esbuild fills a namespace by a call, which the bundler of a page must take to do more: it would keep `packedOp`, and all that it names, in every page. */
function withPureNamespaces(text) {
  const filled = /var (\w+)=\{\};\s*__export\(\1,/g;
  if (!filled.test(text)) return text;
  const definition = 'var __namespace=(all)=>{const target={};__export(target,all);return target};';
  return text.replace(filled, (_, name) => `${definition}var ${name}=/* @__PURE__ */__namespace(`);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(root, 'node_modules/fflate/LICENSE'), join(folder, 'LICENSE.fflate'));

// Node.js: threads start with a module that imports the one of `import`, whoever started them
for (const file of ['node.js', 'node.cjs']) {
  const isScript = file.endsWith('.cjs');
  const ownAddress = `${notice}\nconst ownAddress = require('node:url').pathToFileURL(__filename).href;`;
  await build({
    ...options('node'),
    stdin: {
      contents: `export * from './index.ts'; ${isScript ? '' : "export { serve } from './workers/serve.ts'; export { ownPort } from '#platform';"}`,
      resolveDir: dirname(entry),
    },
    outfile: join(folder, file),
    ...(isScript && { format: 'cjs', banner: { js: ownAddress }, define: { 'import.meta.url': 'ownAddress' } }),
  });
}
writeFileSync(join(folder, 'node-worker.js'), "import { ownPort, serve } from './node.js';\n\nserve(ownPort());\n");

// pages: what page and worker share is a file of its own, which is fetched once; the worker's must not start workers, or bundlers turn in circles
const page = await build({
  ...options('browser'),
  entryPoints: { browser: entry, 'browser-worker': join(root, 'src/runtime/workers/thread.ts') },
  outdir: folder,
  splitting: true,
  chunkNames: 'browser-core',
  write: false,
});
for (const { path, text } of page.outputFiles) writeFileSync(path, withPureNamespaces(text));

// one script for everything, whose own text is the worker's
const script = { ...options('inline'), minify: true, write: false, banner: {} };
const inlineEntry = {
  contents:
    "export * from './index.ts'; export { serve } from './workers/serve.ts'; export { ownPort } from '#platform';",
  resolveDir: dirname(entry),
};
const { outputFiles } = await build({ ...script, stdin: inlineEntry, format: 'iife', globalName: 'exported' });
const { metafile } = await build({ ...script, entryPoints: [entry], outfile: 'names.js', metafile: true });
const names = Object.values(metafile.outputs)[0].exports.join(', ');
const body = `${notice}\nfunction signumRuntime() {\n${outputFiles[0].text}\nreturn exported;\n}\n`;
writeFileSync(join(folder, 'inline.js'), `${body}export const { ${names} } = /* @__PURE__ */ signumRuntime();\n`);
writeFileSync(
  join(folder, 'inline.cjs'),
  `${body}const { ${names} } = signumRuntime();\nmodule.exports = { ${names} };\n`,
);

// TypeScript takes declarations for CommonJS only from a folder whose package.json says so
const declared = new Set();
const declare = (path) => {
  if (declared.has(path)) return;
  declared.add(path);
  const target = join(dist, 'cjs', relative(dist, path));
  mkdirSync(dirname(target), { recursive: true });
  cpSync(path, target);
  for (const [, module] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)\.[jt]s'/g))
    declare(join(dirname(path), `${module}.d.ts`));
};
declare(join(dist, 'runtime/index.d.ts'));
writeFileSync(join(dist, 'cjs/package.json'), '{"type":"commonjs"}\n');
