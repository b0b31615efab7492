import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernels } from '../backend/select.ts';
import { FormatError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { buildNetwork } from '../models/table.ts';
import { pack } from '../pack/pack.ts';
import { Tensor } from '../tensor/tensor.ts';
import { checkpointOf } from '../train/load-network.ts';
import { cpuExecutor } from './cpu-executor.ts';
import { load } from './load.ts';
import { loadPackedModel } from './packed-model.ts';

const home = process.cwd();
let directory = '';
let file: Uint8Array<ArrayBuffer>;
const pixels = Uint8Array.from({ length: 64 }, (_, i) => Math.imul(i, 2654435761) >>> 24);

/** A project with a zoo of one network, whose float weights are there, and one without. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-load-'));
  const network = buildNetwork({ model: 'sfc', method: 'bnn', inputShape: [8, 8, 1], classes: 4, width: 0.1, seed: 1 });
  const samples = new Float32Array(4 * 64);
  new Random(2).fillNormal(samples, 0, 1);
  const source = { classes: ['a', 'b', 'c', 'd'], mean: [0.5], std: [0.25] };
  file = new Uint8Array(pack(network, new Tensor(samples, [4, 8, 8, 1]), source).bytes);
  const zoo = join(directory, 'node_modules/@signum-bnn/zoo');
  for (const name of ['small', 'large']) {
    mkdirSync(join(zoo, 'networks', name), { recursive: true });
    writeFileSync(join(zoo, 'networks', name, 'model.safetensors'), file);
  }
  writeFileSync(join(zoo, 'networks/small/checkpoint.safetensors'), '');
  writeFileSync(join(zoo, 'package.json'), '{"name":"@signum-bnn/zoo"}');
  writeFileSync(join(directory, 'mine 1%.safetensors'), file);
  process.chdir(directory);
});
afterAll(() => {
  process.chdir(home);
  rmSync(directory, { recursive: true });
});

test('a model is loaded by path, address, name in the zoo, or bytes, and answers the same', async () => {
  const served = createServer((_, response) => response.end(file)).listen(0, '127.0.0.1');
  await new Promise((resolve) => served.once('listening', resolve));
  const address = `http://127.0.0.1:${(served.address() as AddressInfo).port}/model`;
  try {
    const expected = loadPackedModel(file).predict(pixels);
    const path = join(directory, 'mine 1%.safetensors');
    for (const source of [
      path,
      'mine 1%.safetensors',
      pathToFileURL(path),
      pathToFileURL(path).href,
      address,
      new URL(address),
      `data:application/octet-stream;base64,${Buffer.from(file).toString('base64')}`,
      'zoo:small',
      file,
      file.buffer,
      readFileSync(path),
      new Blob([file]),
      await fetch(address),
    ]) {
      const model = await load(source, { worker: false });
      expect(await model.predict(pixels)).toEqual(expected);
      model.dispose();
    }
  } finally {
    served.close();
  }
});

test('what cannot be loaded says what was given and what would do', async () => {
  await expect(load('missing.safetensors')).rejects.toThrow(
    /cannot load missing\.safetensors \(ENOENT.*expected a path, an address, zoo:<network>.*, or the bytes/,
  );
  await expect(load('zoo:smal')).rejects.toThrow(/the zoo has no network "smal"; it has large, small/);
  await expect(load('http://127.0.0.1:1/model')).rejects.toThrow(/cannot load http:\/\/127\.0\.0\.1:1\/model/);
  await expect(load(file.subarray(0, 100))).rejects.toThrow(FormatError);
  const here = { worker: false };
  await expect(load(42 as never, here)).rejects.toThrow(/expected bytes .*got number/);
  await expect(load(null as never, here)).rejects.toThrow(/expected bytes .*got null/);
  await expect(load(new Response('', { status: 404 }))).rejects.toThrow(/cannot load the response \(HTTP 404\)/);
  await expect(load('zoo:small', { ...here, maxBytes: 10 })).rejects.toThrow(/bytes/);
});

test('options that contradict one another, and executors that do not run the ops, are refused', async () => {
  await expect(load(file, { kernels: kernels(), worker: true })).rejects.toThrow(
    /kernels are functions, which no thread/,
  );
  await expect(load(file, { worker: 2.5 })).rejects.toThrow(/2\.5 threads; expected a whole number/);
  await expect(load(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  const partial = { ...cpuExecutor(), id: 'gpu', supports: (op: string) => op !== 'sign' };
  await expect(load(file, { executor: partial })).rejects.toThrow(
    /no executor runs all ops of this model: "gpu" does not run sign\. Give one that does after the others, such as cpuExecutor\(\)/,
  );
  const model = await load(file, { executor: [partial, cpuExecutor()] });
  expect(await model.predict(pixels)).toEqual(loadPackedModel(file).predict(pixels));
  model.dispose();
  await expect(model.predict(pixels)).rejects.toThrow(/disposed of; load it again/);
});

test('trainings start from the float weights of a network of the zoo, where it has them', () => {
  expect(checkpointOf('zoo:small')).toMatch(/networks.small.checkpoint\.safetensors$/);
  expect(() => checkpointOf('zoo:large')).toThrow(
    /zoo:large comes without its float weights, which are too large for the zoo: train it again/,
  );
});
