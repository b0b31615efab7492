import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from './program.ts';

let err = '';
let tools = '';
beforeEach(() => {
  err = '';
  tools = mkdtempSync(join(tmpdir(), 'signum-tools-'));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  vi.stubEnv('PATH', tools);
  for (const name of ['CXX', 'MAKE', 'PYTHON', 'npm_config_python']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(tools, { recursive: true, force: true });
});
/** A program of this name that does nothing, successfully. */
const provide = (name: string) => symlinkSync('/bin/true', join(tools, name));

test('what cannot compile the kernels is named, all of it, with exit code 1', async () => {
  expect(await main(['node', 'signum', 'build-native'])).toBe(1);
  expect(err).toMatch(/python3, make and (g\+\+|c\+\+) are missing/);
});

test('and nothing else is', async () => {
  provide('python3');
  provide(process.platform === 'darwin' ? 'c++' : 'g++');
  expect(await main(['node', 'signum', 'build-native'])).toBe(1);
  expect(err).toMatch(/not compiled: make is missing \(/);
});
