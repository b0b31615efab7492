import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { staleAfterMs } from '../data/lock.ts';
import { trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';

let directory = '';
let child: ChildProcess | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-run-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const options = {
  model: 'sfc',
  method: 'bnn',
  data: 'blobs',
  width: 0.1,
  epochs: 2,
  batch: 32,
  optimizer: 'adam',
} as const;
const fileOfLock = (folder: RunFolder) => folder.file(join('lock', readdirSync(folder.file('lock'))[0]!));

/** A process that trains in the folder, past its first epochs. */
async function training(path: string): Promise<{ child: ChildProcess; ended: Promise<string> }> {
  const script = fileURLToPath(new URL('./run-process.testing.ts', import.meta.url));
  const started = spawn(process.execPath, ['-C', 'signum-source', '--import', 'tsx', script, path]);
  child = started;
  let said = '';
  started.stderr.on('data', (text) => {
    said += text;
  });
  const ended = new Promise<string>((resolve) => {
    started.on('exit', (code, signal) => resolve(`${code ?? signal} ${said}`));
  });
  await Promise.race([new Promise((resolve) => started.stdout.once('data', resolve)), ended]);
  return { child: started, ended };
}

test('a run that was suspended and wakes to find its lock taken stops and writes nothing', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  const { child: other, ended } = await training(folder.path);
  expect(() => folder.lock()).toThrow(`run ${folder.path} is being written by process ${other.pid}`);
  other.kill('SIGSTOP');
  // the minute passes
  const then = new Date(Date.now() - staleAfterMs - 1000);
  utimesSync(fileOfLock(folder), then, then);
  folder.lock();
  const contents = () =>
    readdirSync(folder.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(
        ({ parentPath, name }) =>
          `${name} ${createHash('sha1')
            .update(readFileSync(join(parentPath, name)))
            .digest('hex')}`,
      );
  const before = contents();
  other.kill('SIGCONT');
  expect(await ended).toMatch(/^3 TakenError: run .* was taken over by process \d+ .* writes nothing more$/);
  expect(contents()).toEqual(before);
  folder.unlock();
});

test('a killed run is continued at once, and what it left half written is gone', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  const { child: other, ended } = await training(folder.path);
  other.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL ');
  writeFileSync(folder.file('checkpoint.safetensors.1234abcd.tmp'), 'half');
  const epochs = folder.readMetrics().length;
  const { finished } = await trainRun(folder, { ...options, epochs: epochs + 2 }, blobData(), { existing: 'resume' });
  expect({ finished, files: readdirSync(folder.path).sort() }).toEqual({
    finished: true,
    files: ['checkpoint.safetensors', 'config.json', 'metrics.jsonl', 'report.html'],
  });
});
