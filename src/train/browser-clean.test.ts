import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('..', import.meta.url));

/** What a page may import to train and to pack: the layers below data, tasks, and the training step. */
const program = `
export { TrainingStep } from './train/step.ts';
export { methods } from './methods/table.ts';
export { buildNetwork, models } from './models/table.ts';
export { pack } from './pack/pack.ts';
export * from './formats/index.ts';
export * from './tasks/table.ts';
export * from './runtime/index.ts';
`;

test('what a page needs to train and to pack asks for nothing of Node.js', async () => {
  const platforms = { '#platform': 'browser.ts', '#start-thread': 'start-web-thread.ts' };
  const { warnings, metafile } = await build({
    stdin: { contents: program, resolveDir: src, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
    alias: Object.fromEntries(
      Object.entries(platforms).map(([name, file]) => [name, join(src, 'backend/platform', file)]),
    ),
  });
  expect(warnings).toEqual([]);
  const folders = Object.keys(metafile.inputs).map((file) => /src\/(\w+)\//.exec(file)?.[1]);
  expect(folders).toContain('train');
  expect(folders).not.toContain('cli');
});
