import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test.each(['node', 'browser'])(
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
      alias: { '#platform': `${root}src/backend/platform/${on}.ts` },
      write: false,
      metafile: true,
    });
    const foreign = Object.keys(metafile.inputs).filter((path) => !/^src\/(runtime|exact|backend|core)\//.test(path));
    expect(foreign.filter((path) => !path.startsWith('node_modules/fflate/'))).toEqual([]);
    const modules = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
    expect(modules.map(({ path }) => path).filter((path) => on === 'browser' || !path.startsWith('node:'))).toEqual([]);
  },
);
