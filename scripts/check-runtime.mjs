// @signum-bnn/runtime as a stranger has it: alone in a project, by import, by require, with types, and in a page's bundle; with the compiled
// kernels and, without their package, by WebAssembly. Part of scripts/check-install.mjs.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a folder takes on disk, in bytes. */
const onDisk = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)))
    .reduce((sum, { blocks, size }) => sum + (blocks === undefined ? size : 512 * blocks), 0);

/** What a page downloads, zipped: scripts of a program that loads a model, its worker, and one of the .wasm files. */
async function pageSize(folder) {
  const worker = join(folder, 'node_modules/@signum-bnn/runtime/dist/backend/bundle/browser-worker.js');
  const page = { contents: "export { load } from '@signum-bnn/runtime';", resolveDir: folder };
  const common = { bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, metafile: true };
  const plugin = {
    name: 'page',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^page$/ }, () => ({ path: 'page', namespace: 'page' }));
      onLoad({ filter: /./, namespace: 'page' }, () => page);
    },
  };
  const entryPoints = ['page', worker];
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints,
    splitting: true,
    outdir: 'out',
    plugins: [plugin],
  });
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  if (outside.length > 0) throw new Error(`a page's bundle imports ${outside.map(({ path }) => path).join(', ')}`);
  const wasm = readFileSync(join(folder, 'node_modules/@signum-bnn/runtime/dist/backend/wasm/signum.wasm'));
  return [...outputFiles.map(({ contents }) => contents), wasm]
    .map((bytes) => gzipSync(bytes, { level: 9 }).length)
    .reduce((sum, size) => sum + size, 0);
}

/** The README's program, which then also says whose kernels ran and what they gave. */
const program = (text) => `${text}
import { createHash } from 'node:crypto';
import { kernels } from '@signum-bnn/runtime';
const again = await load('zoo:lfc-bnn-mnist');
const image = Float32Array.from({ length: 28 * 28 }, (_, i) => ((i * 37) % 29) / 14 - 1);
const logits = await again.run({ data: image, shape: [1, 28, 28, 1] });
again.dispose();
console.log(JSON.stringify({ kernels: kernels().name, bits: createHash('sha256').update(logits).digest('hex') }));
`;

/** The same by require. */
const asScript = (text) =>
  `(async () => {\n${text.replaceAll(/^import (.*) from ('.*');/gm, 'const $1 = require($2);')}\n})();\n`;

/**
 * @param cwd an empty folder outside of every project
 * @param tarballs of all packages
 * @param tools of scripts/check-install.mjs, and a TypeScript compiler
 */
export async function checkRuntimeAlone(cwd, tarballs, { run, check, block, tsc }) {
  writeFileSync(join(cwd, 'package.json'), '{"private":true,"type":"module"}\n');
  const own = tarballs.filter((file) => !/signum-bnn-\d/.test(file));
  run(`npm install --ignore-scripts --no-audit --no-fund ${own.join(' ')}`, { cwd });
  const modules = join(cwd, 'node_modules');
  const installed = readdirSync(modules).filter((name) => !name.startsWith('.'));
  check(installed.join() === '@signum-bnn', `@signum-bnn/runtime brings other packages: ${installed}`);

  const runtime = join(modules, '@signum-bnn/runtime');
  const manifest = JSON.parse(readFileSync(join(runtime, 'package.json'), 'utf8'));
  const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  check(names.length <= 1, `@signum-bnn/runtime depends on ${names.join(', ')}: expected one package at most`);
  const platforms = readdirSync(join(modules, '@signum-bnn')).filter((name) => !['runtime', 'zoo'].includes(name));
  for (const [name, limit] of [['runtime', 1e6], ...platforms.map((name) => [name, 1.2e6])]) {
    const size = onDisk(join(modules, '@signum-bnn', name));
    console.log(`@signum-bnn/${name} takes ${(size / 1000).toFixed(0)} kB on disk`);
    check(size < limit, `@signum-bnn/${name} takes ${size} bytes on disk: expected less than ${limit}`);
  }
  const page = await pageSize(cwd);
  console.log(`a page downloads ${(page / 1000).toFixed(1)} kB of @signum-bnn/runtime`);
  check(page < 40_000, `a page downloads ${page} bytes of @signum-bnn/runtime: expected less than 40000`);

  const text = program(block('packages/runtime/README.md', '# @signum-bnn/runtime', 'js'));
  writeFileSync(join(cwd, 'program.mjs'), text);
  writeFileSync(join(cwd, 'program.cjs'), asScript(text));
  const answer = (file) => JSON.parse(run(`node ${file}`, { cwd }).stdout.trim().split('\n').at(-1));
  const answers = [answer('program.mjs'), answer('program.cjs')];
  check(
    answers.every(({ kernels }) => kernels === 'native') || platforms.length === 0,
    `not native: ${JSON.stringify(answers)}`,
  );

  // types, for modules and for scripts, with the project's compiler
  writeFileSync(
    join(cwd, 'module.mts'),
    "import { load, packedOp, type LoadedModel } from '@signum-bnn/runtime';\nexport const model: Promise<LoadedModel> = load('a');\nexport const op = packedOp;\n",
  );
  writeFileSync(
    join(cwd, 'script.cts'),
    "import { load, type LoadedModel } from '@signum-bnn/runtime';\nimport { loadWasm } from '@signum-bnn/runtime/inline';\nexport const model: Promise<LoadedModel> = load('a');\nexport const kernels = loadWasm();\n",
  );
  run(`${tsc} --noEmit --strict --target es2022 --lib es2022,dom --module nodenext --types '' module.mts script.cts`, {
    cwd,
  });

  for (const name of platforms) rmSync(join(modules, '@signum-bnn', name), { recursive: true });
  answers.push(answer('program.mjs'), answer('program.cjs'));
  check(
    answers.slice(2).every(({ kernels }) => kernels === 'wasm'),
    `not WebAssembly: ${JSON.stringify(answers)}`,
  );
  check(new Set(answers.map(({ bits }) => bits)).size === 1, `other bits: ${JSON.stringify(answers)}`);
}
