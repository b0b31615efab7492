import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import type { ZooNetwork } from '../../packages/zoo/index.d.ts';
import { evaluatePacked } from '../analysis/packed-evaluation.ts';
import { loadMnist } from '../data/mnist.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { parseConfig } from '../train/config.ts';
import { RunFolder } from '../train/run-folder.ts';
import { catchOutput } from './catch-output.testing.ts';
import { main } from './program.ts';

const zoo = fileURLToPath(new URL('../../packages/zoo/', import.meta.url));
const networks: readonly ZooNetwork[] = JSON.parse(readFileSync(join(zoo, 'index.json'), 'utf8'));
const fileOf = (id: string, name: string) => join(zoo, 'networks', id, name);
const modelOf = (id: string) => loadPackedModel(readFileSync(fileOf(id, 'model.safetensors')));

test('the index names what is there, and the package stays below 8 MB', async () => {
  expect(readdirSync(join(zoo, 'networks')).sort()).toEqual(networks.map(({ id }) => id));
  expect((await import(pathToFileURL(join(zoo, 'index.js')).href)).networks).toEqual(networks);
  const files = readdirSync(zoo, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(zoo, name)));
  expect(files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)).toBeLessThan(8_000_000);
  const page = readFileSync(join(zoo, 'README.md'), 'utf8');
  for (const { id, accuracy } of networks)
    expect(page).toMatch(new RegExp(`zoo:${id}\`.* ${(100 * accuracy).toFixed(2)} %`));
});

test.each(networks)('$id: file, options and log are those of the index', async ({ id, ...entry }) => {
  expect(statSync(fileOf(id, 'model.safetensors')).size).toBe(entry.bytes);
  const { graph, proof } = modelOf(id);
  expect([graph.input, graph.classes]).toEqual([entry.input, entry.classes]);
  expect(proof).not.toBeNull();
  const run = new RunFolder(join(zoo, 'networks', id));
  const { model, width, method, data, epochs } = parseConfig(run.readConfig());
  expect(entry).toMatchObject({ model, width, method, data, epochs });
  const log = run.readMetrics();
  expect(log.length).toBe(epochs);
  expect(log.at(-1)!.testAccuracy).toBeCloseTo(entry.accuracy, 12);
  expect(entry.originalPixels).toBe(data === 'cifar10' ? true : undefined);
  const latents = fileOf(id, 'checkpoint.safetensors');
  expect(existsSync(latents) ? statSync(latents).size : null).toBe(entry.latentBytes);
  expect(entry.latentBytes ?? 0).toBeLessThanOrEqual(1_500_000);
  const address: { default: URL } = await import(pathToFileURL(fileOf(id, 'index.js')).href);
  expect(address.default.href).toBe(pathToFileURL(fileOf(id, 'model.safetensors')).href);
});

test('the accuracy that is told is the one that is reached', async () => {
  const { accuracy } = networks.find(({ id }) => id === 'lfc-bnn-mnist')!;
  const { top1 } = await evaluatePacked(modelOf('lfc-bnn-mnist'), loadMnist());
  expect(top1).toBe(accuracy);
});

test('the command line lists the zoo and classifies by name', async () => {
  let out = '';
  catchOutput((text) => {
    out += text;
  });
  const home = process.cwd();
  // a package sees itself by its name, with or without the link that npm makes
  process.chdir(zoo);
  try {
    expect(await main(['node', 'signum', 'zoo'])).toBe(0);
    for (const { id } of networks) expect(out).toContain(`zoo:${id} `);
    out = '';
    const seven = join(zoo, '../../examples/seven.png');
    expect(await main(['node', 'signum', 'predict', 'zoo:lfc-bnn-mnist', seven])).toBe(0);
    expect(out).toMatch(/seven\.png: 7 \d/);
  } finally {
    process.chdir(home);
    vi.restoreAllMocks();
  }
});
