import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';

// a page: nothing can be read at once
vi.mock('#platform', () => import('../platform/browser.ts'));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
  Reflect.deleteProperty(globalThis, Symbol.for('signum-bnn.backend'));
});

const runtime = () => import('../../runtime/index.ts');

test('a model before loadWasm() is refused by one sentence, and there are no slow kernels to ask for', async () => {
  const { kernels, useBackend } = await runtime();
  expect(kernels).toThrow(/^the WebAssembly kernels are not loaded: call `await loadWasm\(\)`/);
  expect(() => useBackend('wasm')).toThrow(/await loadWasm\(\)/);
  expect(() => useBackend('reference')).toThrow(/reference kernels are not part of what a page loads/);
});

test('after loadWasm() the fetched kernels are the ones in use', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href);
    return new Response(readFileSync(url));
  });
  const { kernels, loadWasm } = await runtime();
  const loaded = await loadWasm();
  expect(kernels()).toBe(loaded);
  expect(await loadWasm()).toBe(loaded);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/backend\/wasm\/signum(-relaxed)?\.wasm$/);
});

test.each([
  ['a missing file', () => new Response('', { status: 404 }), /HTTP 404/],
  ['a page for every address', () => new Response('<!doctype html>'), /magic/],
])('%s is named with the cure', async (_name, answer, reason) => {
  vi.stubGlobal('fetch', async () => answer());
  const { kernels, loadWasm } = await runtime();
  const failure = await loadWasm().catch((error: Error) => error.message);
  expect(failure).toMatch(reason);
  expect(failure).toMatch(/signum-bnn\/runtime\/inline/);
  expect(kernels).toThrow(/not loaded/);
});
