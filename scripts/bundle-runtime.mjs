// Makes the files of `signum-bnn/runtime`, one each for Node.js (import and require), for browsers, and with the WebAssembly
// kernels inlined: a program starts in a third of the time that its forty modules take, and a page asks for one file.
// They lie beside dist/backend/platform, so that its relative addresses (.wasm files, addon) hold in them.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const platform = (name) => ({
  name: 'platform',
  setup({ onResolve }) {
    onResolve({ filter: /^#platform$/ }, () => ({ path: join(root, `src/backend/platform/${name}.ts`) }));
  },
});

const bundles = [
  { file: 'node.js', on: 'node', format: 'esm' },
  { file: 'node.cjs', on: 'node', format: 'cjs' },
  { file: 'browser.js', on: 'browser', format: 'esm' },
  { file: 'inline.js', on: 'inline', format: 'esm' },
  { file: 'inline.cjs', on: 'inline', format: 'cjs' },
];
const notice =
  '/*! signum-bnn, Apache-2.0. Holds parts of fflate, MIT, copyright Arjun Barrett: node_modules/fflate/LICENSE */';
for (const { file, on, format } of bundles) {
  const ownAddress = on === 'node' && format === 'cjs';
  await build({
    entryPoints: [join(root, 'src/runtime/index.ts')],
    outfile: join(folder, file),
    bundle: true,
    format,
    // fflate's variant for Node.js would load worker threads
    platform: 'neutral',
    conditions: ['browser'],
    external: ['node:*'],
    target: 'es2022',
    plugins: [platform(on), wasmBuilds],
    banner: {
      js: ownAddress ? `${notice}\nconst ownAddress = require('node:url').pathToFileURL(__filename).href;` : notice,
    },
    define: ownAddress ? { 'import.meta.url': 'ownAddress' } : {},
    logLevel: 'warning',
  });
}

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
