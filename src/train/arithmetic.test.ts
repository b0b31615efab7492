import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { arithmetic, arithmeticChange } from '../backend/arithmetic.ts';
import { useBackend } from '../backend/select.ts';
import { readCheckpoint } from './checkpoint.ts';
import { parseConfig } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

const directory = mkdtempSync(join(tmpdir(), 'signum-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a checkpoint tells the backend and the arithmetic; resuming on another says so in one line', async () => {
  const config = parseConfig({ model: 'sfc', method: 'bnn', data: 'blobs', width: 0.125, epochs: 1, batch: 32 });
  const folder = new RunFolder(directory);
  const made = () => trainerFor(config, blobData(), folder);
  useBackend('reference');
  await made().run({ shouldStop: () => true });
  const checkpoint = readCheckpoint(folder.file('checkpoint.safetensors'));
  expect(checkpoint.arithmetic).toEqual({ backend: 'reference', version: arithmetic().version });
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  made().resume(checkpoint);
  expect(warned).not.toHaveBeenCalled();
  useBackend('wasm');
  made().resume(checkpoint);
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]![0]).toMatch(
    /began with the reference backend's .* goes on with the wasm backend's .*weights/,
  );
  expect(warned.mock.calls[0]![0]).not.toContain('\n');
  made().resume({ ...checkpoint, arithmetic: undefined });
  expect(warned.mock.calls[1]![0]).toContain('not recorded then');
});

test('another version of the arithmetic is told too', () => {
  const now = { backend: 'native', version: 3 };
  expect(arithmeticChange({ backend: 'native', version: 3 }, now)).toBeNull();
  expect(arithmeticChange({ backend: 'native', version: 2 }, now)).toMatch(/version 2 .* version 3/);
});
