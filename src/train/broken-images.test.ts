import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadFolder } from '../data/folder.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { TrainOptions } from './config.ts';
import { trainRun } from './run.ts';

let directory = '';
let told: string[] = [];
const tell = (line: string) => told.push(line);
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signum-broken-'));
  told = [];
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#a52' } })
    .png()
    .toBuffer();
  for (const part of ['train', 'test'])
    for (const name of ['cats', 'dogs']) {
      mkdirSync(join(directory, 'photos', part, name), { recursive: true });
      for (let i = 0; i < 12; i++) writeFileSync(join(directory, 'photos', part, name, `${i}.png`), png);
    }
});
afterEach(() => rmSync(directory, { recursive: true }));

const photos = (...rest: string[]) => join(directory, 'photos', ...rest);
const breakPicture = (...rest: string[]) => writeFileSync(photos(...rest), '');
const options: TrainOptions = {
  model: 'sfc',
  width: 0.05,
  method: 'bnn',
  data: 'photos',
  epochs: 3,
  // some batches are one picture alone
  batch: 1,
  optimizer: 'adam',
};

test('pictures that break while a network is trained on them cost these pictures, not the training', async () => {
  const data = await loadFolder(photos(), 8, { tell });
  breakPicture('train', 'cats', '3.png');
  let epochs = 0;
  const { evaluation, finished } = await trainRun(join(directory, 'run'), options, data, {
    onEpoch: () => {
      epochs++;
      if (epochs === 1) breakPicture('test', 'dogs', '7.png');
    },
  });
  expect([finished, epochs, evaluation?.count]).toEqual([true, 3, 23]);
  expect(told.slice(1).map((line) => line.replace(/^.*photos\/(\S+) .*$/, '$1'))).toEqual([
    'train/cats/3.png',
    'test/dogs/7.png',
  ]);
});

test('when the disk is gone, training stops, its last step is saved, and it can be resumed', async () => {
  const data = await loadFolder(photos(), 8, { tell });
  const run = join(directory, 'run');
  const stopped = trainRun(run, { ...options, batch: 4, epochs: 40 }, data, {
    onEpoch: ({ epoch }) => {
      if (epoch === 1) renameSync(photos(), join(directory, 'away'));
    },
  });
  await expect(stopped).rejects.toThrow(/of 24 pictures can no longer be decoded.*is the disk still there/);
  const { step } = readCheckpoint(join(run, 'checkpoint.safetensors'));
  expect(step).toBeGreaterThanOrEqual(12);
  expect(existsSync(join(run, 'lock'))).toBe(false);
  renameSync(join(directory, 'away'), photos());
  const again = await loadFolder(photos(), 8);
  const notes: string[] = [];
  const resumed = await trainRun(run, { ...options, batch: 4, epochs: 40 }, again, {
    existing: 'resume',
    onNote: (line) => notes.push(line),
  });
  expect([resumed.finished, notes]).toEqual([true, []]);
});

test('a folder that gained pictures since the run was stopped is said', async () => {
  const run = join(directory, 'run');
  await trainRun(run, { ...options, batch: 4, epochs: 1 }, await loadFolder(photos(), 8));
  rmSync(photos('train', 'dogs', '3.png'));
  const notes: string[] = [];
  const data = await loadFolder(photos(), 8);
  await trainRun(run, { ...options, batch: 4, epochs: 1 }, data, {
    existing: 'resume',
    onNote: (line) => notes.push(line),
  });
  expect(notes).toEqual([
    expect.stringMatching(/photos has 23 training images, 24 when the run was stopped: it goes on, but/),
  ]);
});
