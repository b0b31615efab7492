import { beforeEach, expect, test, vi } from 'vitest';

const told: string[] = [];
let addonMissing = true;
let wasmMissing = false;
vi.mock('#platform', async (original) => {
  const node = await original<typeof import('./platform/node.ts')>();
  return {
    ...node,
    loadAddon: () => (addonMissing ? new Error('no native kernels are shipped for test-cpu') : node.loadAddon()),
    readWasm: (build: 'simd' | 'relaxed') => (wasmMissing ? new Error('no .wasm here') : node.readWasm(build)),
    notice: (message: string) => told.push(message),
  };
});

beforeEach(() => {
  vi.resetModules();
  Reflect.deleteProperty(globalThis, Symbol.for('signum-bnn.backend'));
  told.length = 0;
  addonMissing = true;
  wasmMissing = false;
  vi.unstubAllEnvs();
  vi.stubEnv('SIGNUM_BACKEND', undefined);
});
const select = () => import('./select.ts');

test('WebAssembly instead of native kernels is said once, with its cost, the reason and the cure', async () => {
  const { kernels } = await select();
  expect(kernels().name).toBe('wasm');
  kernels();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/WebAssembly kernels serve, .* times slower.*test-cpu.*SIGNUM_BACKEND=wasm/);
});

test('so are the reference kernels', async () => {
  wasmMissing = true;
  const { kernels } = await select();
  expect(kernels().name).toBe('reference');
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/thousands of times slower.*test-cpu.*no \.wasm here/);
});

test('who asks for a backend is told nothing', async () => {
  vi.stubEnv('SIGNUM_BACKEND', 'wasm');
  const { kernels } = await select();
  expect(kernels().name).toBe('wasm');
  expect(told).toEqual([]);
  const { engineInfo } = await import('./engine-info.ts');
  expect(engineInfo()).toEqual({
    backend: 'wasm',
    instructionSet: expect.stringContaining('wasm'),
    threads: 1,
    addon: { source: null, reason: expect.stringContaining('test-cpu') },
  });
});

test.each(['abc', '0', '-1', '1.5', '2x'])('SIGNUM_THREADS=%s is refused in words', async (wanted) => {
  addonMissing = false;
  vi.stubEnv('SIGNUM_THREADS', wanted);
  const { kernels, threads } = await select();
  const words = `SIGNUM_THREADS is "${wanted}": expected a whole number of threads`;
  expect(() => kernels()).toThrow(words);
  expect(() => threads()).toThrow(words);
});
