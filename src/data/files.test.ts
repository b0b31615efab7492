import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SignumError } from '../core/errors.ts';
import { fileProblem, writeFileAtomic } from './files.ts';

const disk = vi.hoisted(() => ({ readOnly: '' }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const accessSync: typeof fs.accessSync = (path, mode) => {
    if (path === disk.readOnly) throw Object.assign(new Error('raw'), { code: 'EROFS' });
    fs.accessSync(path, mode);
  };
  return { ...fs, accessSync };
});

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-files-'));
});
afterEach(() => {
  disk.readOnly = '';
  rmSync(directory, { recursive: true, force: true });
});

test('a file is replaced as a whole and leaves no temporary one', () => {
  const path = join(directory, 'a.txt');
  writeFileAtomic(path, 'first');
  writeFileAtomic(path, Uint8Array.of(104, 105));
  expect(readFileSync(path, 'utf8')).toBe('hi');
  expect(readdirSync(directory)).toEqual(['a.txt']);
});

test('what cannot be written is explained, and the old content stays', () => {
  expect(() => writeFileAtomic(join(directory, 'missing', 'a.txt'), 'x')).toThrow(
    /cannot write .*its folder does not exist/,
  );
  mkdirSync(join(directory, 'folder'));
  writeFileSync(join(directory, 'folder', 'kept'), 'old');
  expect(() => writeFileAtomic(join(directory, 'folder'), 'x')).toThrow(/cannot write .*folder/);
  expect(readFileSync(join(directory, 'folder', 'kept'), 'utf8')).toBe('old');
  expect(readdirSync(directory)).toEqual(['folder']);
});

test('a file whose folder was cleaned meanwhile is not written by one who may no longer', () => {
  const path = join(directory, 'a.txt');
  let asked = 0;
  const mayWrite = () => {
    if (++asked > 1) throw new SignumError('taken');
  };
  expect(() => writeFileAtomic(path, 'x', mayWrite)).toThrow('taken');
  expect(readdirSync(directory)).toEqual([]);
});

test('a read-only file system is said to be one, however deep the folder that is missing', () => {
  disk.readOnly = directory;
  const error = Object.assign(new Error('raw'), { code: 'ENOENT' });
  for (const missing of ['x', join('runs', 'x'), join('runs', 'mine', 'deeper', 'x')])
    expect(fileProblem('write', join(directory, missing), error).message).toMatch(/: the file system is read-only$/);
});

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission denied'],
  ['ENOENT', 'it does not exist'],
])('%s is said in words', (code, words) => {
  expect(fileProblem('write', join(directory, 'x'), Object.assign(new Error('raw'), { code })).message).toContain(
    words,
  );
});
