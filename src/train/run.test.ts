import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { staleAfterMs } from '../data/lock.ts';
import { verdictOn } from '../tasks/classification.ts';
import { parseConfig } from './config.ts';
import { prolongedText } from './resume.ts';
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
  const onEpoch = () => process.emit('SIGINT');
  const again = await trainRun(folder, { ...options, epochs: 100_000 }, blobData(), { existing: 'resume', onEpoch });
  expect(again).toMatchObject({ finished: false, interrupted: 'SIGINT', evaluation: null });
  expect(folder.readMetrics().length).toBeGreaterThan(epochs - 1);
  expect(readdirSync(folder.path).sort()).toEqual([
    'checkpoint.safetensors',
    'config.json',
    'metrics.csv',
    'metrics.jsonl',
  ]);
});

test('a finished run is prolonged; other options than its own are refused, with the way to do it', async () => {
  const path = join(directory, 'run');
  const data = blobData();
  await trainRun(path, options, data);
  const resume = (given: object) => trainRun(path, { ...options, ...given }, data, { existing: 'resume' });
  await expect(resume({ batch: 16 })).rejects.toThrow(
    /--batch 16: run .* was begun with 32, and continues as it began: .*another --name, and --init/,
  );
  await expect(resume({ validation: 10 })).rejects.toThrow(/--validation 10: run .* was begun without it/);
  await expect(resume({ epochs: 1 })).rejects.toThrow(/--epochs 1: run .* was begun for 2, and can only be prolonged/);
  const { folder, finished } = await resume({ epochs: 4, keep: 'best' });
  expect({ finished, epochs: folder.readMetrics().length, stored: folder.readConfig() }).toMatchObject({
    finished: true,
    epochs: 4,
    stored: { epochs: 4, keep: 'best' },
  });
  const stored = parseConfig({ ...options, schedule: 'linear' });
  expect(prolongedText(stored, { ...stored, epochs: 4 }, 2)).toMatch(
    /^prolonged from 2 to 4 epochs: .* after epoch 2 the learning rate goes on at 0\.\d+ instead of 0\.00, and the method at 50 % .* instead of 100 %/,
  );
  expect(prolongedText(stored, stored, 2)).toBeNull();
});

test('a run that learned nothing, or overflowed, says so; one that learned does not', async () => {
  const confusion = (right: number) => [
    [right, 100 - right],
    [100 - right, right],
  ];
  const evaluation = (right: number, loss = 1) => ({
    top1: right / 100,
    top5: 1,
    loss,
    count: 200,
    confusion: confusion(right),
    notFinite: 0,
    mistakes: [],
  });
  expect(verdictOn(evaluation(52))).toMatch(
    /at chance level: test accuracy 52.00 %, and always naming the largest class gives 50.00 %/,
  );
  expect(verdictOn(evaluation(60))).toBeNull();
  expect(verdictOn({ ...evaluation(90), notFinite: 3 })).toMatch(/diverged: its answers to 3 of 200 test images/);
  expect(verdictOn(evaluation(90, Number.NaN))).toMatch(/diverged: its test loss is NaN/);
  const still = { ...options, epochs: 1, optimizer: 'sgd', rate: 1e-30, clipLatent: false, seed: 2 } as const;
  expect((await trainRun(join(directory, 'still'), still, blobData())).warning).toMatch(/chance level/);
});
