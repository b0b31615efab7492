import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { loadPackedModel } from '../../runtime/index.ts';
import { packedNetwork } from '../../runtime/packed-network.testing.ts';
import { loadWasm, wasmBuilds } from './load.ts';

const folder = new URL('./', import.meta.url);
const file = new URL('signum.wasm', folder);

const images = new Float32Array(128);
new Random(1).fillNormal(images, 0, 1);
const bytes = packedNetwork(images);
const builds = wasmBuilds().map((build) => build.kernels());

describe('loadWasm in Node.js', () => {
  test.each<[string, () => Parameters<typeof loadWasm>[0]]>([
    ['nothing', () => undefined],
    ["a file's path", () => fileURLToPath(file)],
    ["a file's address", () => file],
    ["a folder's address", () => folder.href],
    ["a folder's path", () => fileURLToPath(folder)],
    ['bytes', () => readFileSync(file)],
    ['an ArrayBuffer', () => Uint8Array.from(readFileSync(file)).buffer],
    ['a module', () => new WebAssembly.Module(readFileSync(file))],
    ['a data: address', () => `data:application/wasm;base64,${readFileSync(file).toString('base64')}`],
  ])('takes %s', async (_name, source) => {
    const kernels = await loadWasm(source());
    expect(kernels.name).toBe('wasm');
    const same = builds.find(({ detail }) => detail === kernels.detail)!;
    expect(loadPackedModel(bytes, { kernels }).run(images)).toEqual(
      loadPackedModel(bytes, { kernels: same }).run(images),
    );
  });

  test('knows which build it was given', async () => {
    expect((await loadWasm(file)).detail).toBe('wasm-simd128');
    expect((await loadWasm(new URL('signum-relaxed.wasm', folder))).detail).toBe('wasm-relaxed-simd');
  });

  test.each([
    ['a missing file', './no/such.wasm', /no\/such\.wasm.*ENOENT.*signum-bnn\/runtime\/inline/s],
    ['a page instead of the file', 'data:text/html,<!doctype html>', /magic.*signum-bnn\/runtime\/inline/s],
  ])('names %s and the cure', async (_name, source, message) => {
    await expect(loadWasm(source)).rejects.toThrow(message);
  });
});
