import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { Batches, type Pass } from './batches.ts';
import { checkSplit, type DataSet } from './dataset.ts';
import { loadFolder } from './folder.ts';
import { BackgroundLoader } from './loader.ts';

const shape = [9, 7, 3] as const;
const random = new Random(4);
const split = checkSplit(
  'test',
  {
    count: 53,
    labels: new Uint16Array(53).map(() => random.integer(5)),
    pixels: new Uint8Array(53 * 9 * 7 * 3).map(() => random.integer(256)),
  },
  shape,
  5,
);
const data: DataSet = {
  name: 'test',
  shape,
  classes: ['a', 'b', 'c', 'd', 'e'],
  train: split,
  test: split,
  mean: [0.4, 0.5, 0.6],
  std: [0.2, 0.3, 0.4],
};
const batches = new Batches(data, split, 8);
const passOf = (epoch: number, first = 0): Pass => ({
  order: batches.order(7, epoch),
  first,
  augmentation: { padCrop: 2, flip: true },
  seed: 7,
  epoch,
});
const expected = (pass: Pass, index: number) => batches.shuffled(pass, index);

let loader: BackgroundLoader;
afterEach(() => loader.close());

test('the background loader hands out the batches of the pass, bit for bit and in order, the short last one too', async () => {
  loader = new BackgroundLoader(data, split, 8);
  for (const pass of [passOf(0), passOf(1, 3)]) {
    loader.begin(pass);
    for (let index = pass.first; index < batches.length; index++) {
      const batch = await loader.next();
      expect(batch).toEqual(await expected(pass, index));
    }
  }
});

test('cutout and mixup give the same bits in the background', async () => {
  loader = new BackgroundLoader(data, split, 8);
  const pass: Pass = { ...passOf(2), augmentation: { padCrop: 2, flip: true, cutout: 4, mixup: 0.4 } };
  loader.begin(pass);
  for (let index = 0; index < batches.length; index++) {
    const batch = await loader.next();
    expect(batch.mixture!.shares).toHaveLength(batch.count);
    expect(batch).toEqual(await expected(pass, index));
  }
});

test('a pass begun before the last one ended starts afresh', async () => {
  loader = new BackgroundLoader(data, split, 8);
  loader.begin(passOf(0));
  await loader.next();
  loader.begin(passOf(2));
  expect(await loader.next()).toEqual(await expected(passOf(2), 0));
});

test('a failing worker is an error of the next batch, not a hang', async () => {
  loader = new BackgroundLoader({ ...data, mean: [] }, split, 8);
  loader.begin(passOf(0));
  await expect(loader.next()).rejects.toThrow(/background loader failed/);
});

/** Two classes of noise, larger than what the network sees, written as files. */
async function imageFolder(directory: string): Promise<void> {
  for (const part of ['train', 'test'])
    for (const name of ['cats', 'dogs']) {
      mkdirSync(join(directory, part, name), { recursive: true });
      for (let i = 0; i < 5; i++) {
        const noise = new Uint8Array(40 * 24 * 3).map(() => random.integer(256));
        const picture = sharp(noise, { raw: { width: 40, height: 24, channels: 3 } });
        writeFileSync(join(directory, part, name, `${i}.png`), await picture.png().toBuffer());
      }
    }
}

test('image files, cropped at random: the background gives the same bits, and each epoch other crops', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'signum-loader-'));
  try {
    await imageFolder(directory);
    const folder = await loadFolder(directory, 8);
    const inPlace = new Batches(folder, folder.train, 4);
    const pass = (epoch: number): Pass => ({
      order: new Uint32Array([3, 1, 9, 0, 5]),
      first: 0,
      augmentation: { resizedCrop: true, flip: true },
      seed: 3,
      epoch,
    });
    loader = new BackgroundLoader(folder, folder.train, 4);
    loader.begin(pass(0));
    const first = await loader.next();
    expect(first).toEqual(await inPlace.shuffled(pass(0), 0));
    expect([...first.labels]).toEqual([0, 0, 1, 0]);
    expect(first.images).not.toEqual((await inPlace.shuffled(pass(1), 0)).images);

    // of a split that keeps no list of them
    writeFileSync(join(directory, 'train', 'cats', '3.png'), 'no image');
    const { broken, ...unlisted } = folder.train;
    loader.close();
    loader = new BackgroundLoader(folder, unlisted, 4);
    loader.begin(pass(2));
    await expect(loader.next()).rejects.toThrow(/cannot decode image .*cats\/3\.png/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
