import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beatEveryMs, holderOf, Lock, staleAfterMs } from './lock.ts';

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const writeFile: typeof fs.writeFileSync = (file, data, options) => {
    fs.writeFileSync(file, disk.full ? '' : data, options);
    if (disk.full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  return { ...fs, writeFileSync: writeFile };
});

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => {
  disk.full = false;
  rmSync(directory, { recursive: true, force: true });
});

const take = (at = path) => Lock.take(at, 'run x');
const fileOf = (lock: string) => join(lock, readdirSync(lock)[0]!);
const age = (file: string, milliseconds: number) => {
  const then = new Date(Date.now() - milliseconds);
  utimesSync(file, then, then);
};
/** A lock as a process elsewhere, or one that is dead, left it. */
function plant(owner: object, at = path): void {
  mkdirSync(at);
  writeFileSync(join(at, 'planted'), JSON.stringify(owner));
}
const ours = () => {
  const other = join(directory, 'other');
  const lock = take(other);
  const owner = JSON.parse(readFileSync(fileOf(other), 'utf8'));
  lock.release();
  return owner;
};

test('one at a time, also within a process; released by its owner, and nothing is left', () => {
  const lock = take();
  expect(() => take()).toThrow(`run x is being written by process ${process.pid}; wait for it`);
  expect(holderOf(path)).toMatchObject({ pid: process.pid, host: hostname() });
  lock.requireHeld();
  lock.release();
  expect(readdirSync(directory)).toEqual([]);
  take().release();
});

test('a full disk leaves nothing that bars a run', () => {
  disk.full = true;
  expect(() => take()).toThrow('no space');
  expect(readdirSync(directory)).toEqual([]);
  disk.full = false;
  // what it left before: an empty file, an empty folder, a file of nonsense
  for (const leave of [() => writeFileSync(path, ''), () => mkdirSync(path), () => writeFileSync(path, '\0\0')]) {
    leave();
    take().release();
  }
});

test('a dead process of this machine is seen at once, a number that has come again too', () => {
  plant({ ...ours(), pid: 999_999_999 });
  take().release();
  plant({ ...ours(), began: '1' });
  take().release();
});

test('a process of another container is told by its silence only', () => {
  plant({ ...ours(), pid: 999_999_999, host: 'build-3', space: 'elsewhere' });
  expect(() => take()).toThrow(/process 999999999 on build-3 \(silent for \d+ s; after 60 s it counts as gone\)/);
  age(fileOf(path), staleAfterMs - 5000);
  expect(() => take()).toThrow(/build-3/);
  age(fileOf(path), staleAfterMs + 1000);
  take().release();
});

test('who was silent too long and lost it says so, and does not release the lock of the other', () => {
  const lock = take();
  age(fileOf(path), staleAfterMs + 1000);
  const other = take();
  expect(() => lock.requireHeld()).toThrow(/run x was taken over by process \d+ while .* writes nothing more/);
  lock.release();
  other.requireHeld();
  other.release();
  expect(existsSync(path)).toBe(false);
});

test('the heart beats while this thread computes', () => {
  const lock = take();
  age(fileOf(path), staleAfterMs - 1000);
  const before = statSync(fileOf(path)).mtimeMs;
  // nothing of this thread's event loop runs meanwhile
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, beatEveryMs + 3000);
  expect(statSync(fileOf(path)).mtimeMs).toBeGreaterThan(before);
  lock.release();
});

test('of four processes that find locks stale at once, exactly one takes each', async () => {
  const paths = Array.from({ length: 60 }, (_, i) => join(directory, `lock${i}`));
  paths.forEach((at, i) => {
    if (i % 2) plant({ ...ours(), pid: 999_999_999 }, at);
    else writeFileSync(at, '999999999');
  });
  const script = fileURLToPath(new URL('./lock-race.testing.ts', import.meta.url));
  const processes = Array.from({ length: 4 }, () => fork(script, paths, { execArgv: ['--import', 'tsx'] }));
  const answers = () => Promise.all(processes.map(async (child) => (await once(child, 'message'))[0] as unknown));
  expect(await answers()).toEqual(Array(4).fill('ready'));
  const taken = answers();
  for (const child of processes) child.send('now');
  const won = ((await taken) as string[][]).flat();
  for (const child of processes) child.disconnect();
  expect(won.sort()).toEqual([...paths].sort());
});
