import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { decodeAll, decodeImage } from './images.ts';
import { readTar } from './tar.ts';

vi.mock('sharp', () => {
  throw new Error("Cannot find package 'sharp'\nand where it was looked for");
});
vi.mock('tar-stream', () => {
  throw new Error("Cannot find package 'tar-stream'");
});

const picture = { name: 'cat.png', bytes: new Uint8Array(4) };

test('without sharp a picture is not called broken: one sentence says what to install', async () => {
  const words = /^reading and writing pictures needs the package sharp: `npm install sharp` \(.*\)$/;
  await expect(decodeImage(picture.bytes, picture.name, [2, 2, 3])).rejects.toThrow(words);
  await expect(decodeAll([picture, picture], [2, 2, 3])).rejects.toThrow(UsageError);
});

test('without tar-stream a tar is not called damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signum-'));
  writeFileSync(join(folder, 'train.tar'), new Uint8Array(1024));
  await expect(readTar(join(folder, 'train.tar'), () => true)).rejects.toThrow(
    /tar archives needs the package tar-stream/,
  );
  rmSync(folder, { recursive: true });
});
