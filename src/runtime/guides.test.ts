import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPackedModel } from './packed-model.ts';
import { packedNetwork } from './packed-network.testing.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder = '';

/** The guides' programs, beside a model, with the sources in the place of the package. */
beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build/guides-'));
  for (const guide of ['on-a-server', 'in-a-page', 'own-op', 'formats'])
    for (const [, name, text] of readFileSync(join(root, `docs/${guide}.md`), 'utf8').matchAll(
      /^```ts (\S+)\n([\s\S]*?)^```$/gm,
    ))
      writeFileSync(
        join(folder, name!),
        text!
          .replaceAll("'signum-bnn/runtime'", "'../../src/runtime/index.ts'")
          .replaceAll("'signum-bnn'", "'../../src/index.ts'"),
      );
  writeFileSync(join(folder, 'model.safetensors'), packedNetwork(new Float32Array(256), 'sfc', 'bnn', 0.1));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the programs of the guides are of the right types', () => {
  const files = [
    'server.ts',
    'models.ts',
    'page.ts',
    'camera.ts',
    'abs-power.ts',
    'packed-power.ts',
    'pack-power.ts',
    'graph.ts',
  ];
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..', noPropertyAccessFromIndexSignature: false },
      include: files,
    }),
  );
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  expect([stdout, status]).toEqual(['', 0]);
});

/** What a server's program answers to a picture, once it listens. */
async function post(port: number, body: BodyInit, server: ChildProcess): Promise<Response> {
  for (let waited = 0; ; waited++)
    try {
      return await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
    } catch (error) {
      if (waited > 400 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

test('the server of the guide answers pictures, refuses what is none, and ends when it is told to', async () => {
  const port = 20_000 + (process.pid % 20_000);
  const env = { ...process.env, PORT: String(port), MODEL: join(folder, 'model.safetensors') };
  const args = ['--import', 'tsx', '--conditions=signum-source', join(folder, 'server.ts')];
  const server = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => server.on('exit', (code) => resolve(code)));
  try {
    const seven = readFileSync(join(root, 'examples/seven.png'));
    const answer = await post(port, seven, server);
    expect([answer.status, await answer.json()]).toEqual([200, expect.any(Array)]);
    const refused = await post(port, 'no picture', server);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringMatching(/10 bytes, no picture file/)]);
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
  } finally {
    server.kill('SIGKILL');
  }
});

test('a packed file can be read without Signum, as the guide of formats says', () => {
  const args = ['--import', 'tsx', join(folder, 'graph.ts'), join(folder, 'model.safetensors')];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  const [first, ...nodes] = stdout.trim().split('\n');
  expect(first).toBe('signum-packed 3: sfc by bnn, classifier');
  const { graph } = loadPackedModel(readFileSync(join(folder, 'model.safetensors')));
  expect(nodes).toEqual(
    graph.nodes.map(({ op, name, inputs, output }) => `${output} = ${op}(${inputs.join(', ')})  ${name}`),
  );
});
