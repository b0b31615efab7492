import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const alias = (on: 'node' | 'browser') => ({
  '#platform': `${root}src/backend/platform/${on}.ts`,
  '#start-thread': `${root}src/backend/platform/${on === 'node' ? 'node-threads' : 'start-web-thread'}.ts`,
});

test.each(['node', 'browser'] as const)(
  'what signum-bnn/runtime reaches for %s: its layers and fflate; no codec, archive reader or compiler',
  async (on) => {
    const { metafile } = await build({
      entryPoints: [`${root}src/runtime/index.ts`],
      absWorkingDir: root,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      conditions: ['browser'],
      external: ['node:*'],
      alias: alias(on),
      write: false,
      metafile: true,
    });
    const foreign = Object.keys(metafile.inputs).filter((path) => !/^src\/(runtime|exact|backend|core)\//.test(path));
    expect(foreign.filter((path) => !path.startsWith('node_modules/fflate/'))).toEqual([]);
    const modules = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
    expect(modules.map(({ path }) => path).filter((path) => on === 'browser' || !path.startsWith('node:'))).toEqual([]);
  },
);

/** Bytes of the minified scripts of a page, its worker and its .wasm, gzip. */
async function downloaded(imports: string, worker: boolean): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: { page: 'page', ...(worker && { worker: `${root}src/runtime/workers/thread.ts` }) },
    plugins: [
      {
        name: 'page',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^page$/ }, () => ({ path: 'page', namespace: 'page' }));
          onLoad({ filter: /./, namespace: 'page' }, () => ({ contents: imports, resolveDir: `${root}src/runtime` }));
        },
      },
    ],
    bundle: true,
    splitting: worker,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['browser'],
    alias: alias('browser'),
    write: false,
    outdir: 'out',
  });
  // bundlers that follow workers would turn in circles
  if (worker)
    expect(outputFiles.map(({ path, text }) => [path.includes('chunk'), /new Worker\(/.test(text)])).not.toContainEqual(
      [true, true],
    );
  const files = [...outputFiles.map(({ contents }) => contents), readFileSync(`${root}src/backend/wasm/signum.wasm`)];
  return files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
}

test.each([
  ['a page that calls load, with its worker', "export { load } from './index.ts'", true],
  ['all that is exported, in one script', "export * from './index.ts'", false],
])('%s, is less than 40 kB with its .wasm, gzip', async (_name, imports, worker) => {
  const bytes = await downloaded(imports, worker);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(40_000);
});
