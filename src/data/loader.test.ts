import { afterEach, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { Batches } from './batches.ts';
import { checkSplit, type DataSet } from './dataset.ts';
import { BackgroundLoader, type Pass } from './loader.ts';

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
const expected = ({ order, augmentation, seed, epoch }: Pass, index: number) =>
  batches.shuffled(order, index, augmentation, seed, epoch);

let loader: BackgroundLoader;
afterEach(() => loader.close());

test('the background loader hands out the batches of the pass, bit for bit and in order, the short last one too', async () => {
  loader = new BackgroundLoader(data, split, 8);
  for (const pass of [passOf(0), passOf(1, 3)]) {
    loader.begin(pass);
    for (let index = pass.first; index < batches.length; index++) {
      const batch = await loader.next();
      expect(batch).toEqual(expected(pass, index));
    }
  }
});

test('a pass begun before the last one ended starts afresh', async () => {
  loader = new BackgroundLoader(data, split, 8);
  loader.begin(passOf(0));
  await loader.next();
  loader.begin(passOf(2));
  expect(await loader.next()).toEqual(expected(passOf(2), 0));
});

test('a failing worker is an error of the next batch, not a hang', async () => {
  loader = new BackgroundLoader({ ...data, mean: [] }, split, 8);
  loader.begin(passOf(0));
  await expect(loader.next()).rejects.toThrow(/background loader failed/);
});
