import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileProblem, writeFileAtomic } from './files.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

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
