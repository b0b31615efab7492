import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, bytesOf } from '../core/bytes.ts';
import { DataError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { checkBroken, skippedText, usuallyAllowed } from './broken-files.ts';
import { cachedSplit, type DecodedSplit } from './cache.ts';
import { checkCount, checkFileSize, type SetCounts } from './counts.ts';
import { checkSplit, type DataSet, type PixelSplit, pixelStatistics } from './dataset.ts';
import { headerProblem } from './image-header.ts';
import { decodeAll } from './images.ts';
import type { LoadOptions } from './load-options.ts';
import { dataRoot, locateFolder } from './locate.ts';
import { isLeftBySystem, namesPicture, type UnusedFile } from './picture-files.ts';
import { readTar } from './tar.ts';

export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];
const shape = [32, 32, 3] as const;
const pixelsPerImage = 32 * 32;
/** As published, also of CIFAR-100. */
const published: SetCounts = { train: 50_000, test: 10_000 };
const recordBytes = (labelBytes: number) => labelBytes + 3 * pixelsPerImage;
const trainBatches = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);

/**
 * One file of CIFAR's binary version: records of `labelBytes` labels (the last counts) and 3,072 bytes, red, green, blue planes.
 *
 * @throws DataError when the size is not a whole number of records
 */
export function parseCifarBatch(bytes: Bytes, name: string, labelBytes = 1): PixelSplit {
  const file = bytesOf(bytes, name);
  const record = recordBytes(labelBytes);
  const count = file.length / record;
  if (!Number.isInteger(count) || count === 0)
    throw new DataError(`${name}: ${file.length} bytes are not whole records of ${record}; download it again`);
  const labels = new Uint16Array(count);
  const pixels = new Uint8Array(count * 3 * pixelsPerImage);
  for (let i = 0; i < count; i++) {
    labels[i] = file[i * record + labelBytes - 1]!;
    const planes = file.subarray(i * record + labelBytes, (i + 1) * record);
    for (let p = 0; p < pixelsPerImage; p++)
      for (let c = 0; c < 3; c++) pixels[(i * pixelsPerImage + p) * 3 + c] = planes[c * pixelsPerImage + p]!;
  }
  return { count, labels, pixels };
}

/** A file of `count` images, of which no more is read. */
function readBatch(path: string, count: number, labelBytes = 1): PixelSplit {
  checkFileSize(path, count * recordBytes(labelBytes), `${count.toLocaleString('en')} images`);
  return parseCifarBatch(readFileSync(path), path, labelBytes);
}

function joinSplits(parts: readonly PixelSplit[]): PixelSplit {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const labels = new Uint16Array(count);
  const pixels = new Uint8Array(count * 3 * pixelsPerImage);
  let at = 0;
  for (const part of parts) {
    labels.set(part.labels, at);
    pixels.set(part.pixels, at * 3 * pixelsPerImage);
    at += part.count;
  }
  return { count, labels, pixels };
}

/** Class folder and place of a picture named .../{class}/{file}. @throws DataError for a folder of another name */
function labelOf(path: string, name: string): number {
  const folder = name.split('/').at(-2) ?? '';
  const label = cifar10Classes.indexOf(folder);
  if (label >= 0) return label;
  throw new DataError(
    `${path}: ${printable(name)} lies in folder "${printable(folder)}", which is none of the classes ${cifar10Classes.join(', ')}`,
  );
}

/** A tar of pictures named .../{class}/{file}; sorted by name, so that the order is always the same. */
function loadTarSplit(path: string): Promise<DecodedSplit> {
  const decode = async (): Promise<DecodedSplit> => {
    const [skipped, broken]: [UnusedFile[], UnusedFile[]] = [[], []];
    const entries = await readTar(path, (name) => {
      const isHidden = name.split('/').some((part) => part !== '.' && isLeftBySystem(part));
      const isPicture = !isHidden && (namesPicture(name) || !/\.[^/]*$/.test(name));
      if (!isPicture) skipped.push({ name, reason: isHidden ? 'hidden' : 'no picture' });
      return isPicture;
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const files = entries.filter(({ name, bytes }) => {
      const reason = headerProblem((at, length) => bytes.subarray(at, at + length));
      if (reason !== null) (namesPicture(name) ? broken : skipped).push({ name, reason });
      return reason === null;
    });
    const labels = files.map(({ name }) => labelOf(path, name));
    const { pixels, places, broken: undecodable } = await decodeAll(files, shape);
    const split = { count: places.length, labels: Uint16Array.from(places, (place) => labels[place]!), pixels };
    return { split, skipped, broken: [...broken, ...undecodable] };
  };
  return cachedSplit(path, 'cifar10-tar', decode);
}

async function loadCifar10Tars(
  folder: string,
  { allowBroken = usuallyAllowed, tell = () => {}, counts = published }: LoadOptions,
): Promise<DataSet<PixelSplit>> {
  const parts = [await loadTarSplit(join(folder, 'train.tar')), await loadTarSplit(join(folder, 'test.tar'))] as const;
  for (const [i, part] of (['train', 'test'] as const).entries()) {
    const { split, broken } = parts[i]!;
    checkCount(join(folder, `${part}.tar`), split.count + broken.length, counts[part]);
  }
  const [skipped, broken] = [parts.flatMap((part) => part.skipped), parts.flatMap((part) => part.broken)];
  const [train, test] = [parts[0].split, parts[1].split];
  checkBroken(folder, broken, train.count + test.count, allowBroken);
  const unused = [...broken, ...skipped];
  if (unused.length > 0)
    tell(`${folder}: ${train.count + test.count} images, ${cifar10Classes.length} classes, ${skippedText(unused)}`);
  return {
    name: 'cifar10',
    shape,
    classes: cifar10Classes,
    train: checkSplit('train.tar', train, shape, cifar10Classes.length),
    test: checkSplit('test.tar', test, shape, cifar10Classes.length),
    ...pixelStatistics(train.pixels, 3),
    skipped: unused,
  };
}

/** CIFAR-10, 32x32x3: `$SIGNUM_DATA/cifar10/{train,test}.tar` of images, or the binary batches (cifar-10-batches-bin). */
export async function loadCifar10(options: LoadOptions = {}): Promise<DataSet<PixelSplit>> {
  const root = dataRoot();
  const tarFolder = join(root, 'cifar10');
  if (existsSync(join(tarFolder, 'train.tar')) && existsSync(join(tarFolder, 'test.tar')))
    return loadCifar10Tars(tarFolder, options);
  const folder = locateFolder(
    'cifar10',
    [join(root, 'cifar-10-batches-bin'), tarFolder],
    [...trainBatches, 'test_batch.bin'],
    'Put the "CIFAR-10 binary version" (cifar-10-binary.tar.gz, unpacked) into the first folder, or train.tar and test.tar of images into the second; set SIGNUM_DATA to use another root.',
  );
  const { counts = published } = options;
  const train = joinSplits(
    trainBatches.map((file) => readBatch(join(folder, file), counts.train / trainBatches.length)),
  );
  const test = readBatch(join(folder, 'test_batch.bin'), counts.test);
  return {
    name: 'cifar10',
    shape,
    classes: cifar10Classes,
    train: checkSplit(folder, train, shape, 10),
    test: checkSplit(folder, test, shape, 10),
    ...pixelStatistics(train.pixels, 3),
  };
}

/** CIFAR-100, 32x32x3, its 100 fine classes: the binary version (cifar-100-binary) under `$SIGNUM_DATA`. */
export async function loadCifar100({ counts = published }: LoadOptions = {}): Promise<DataSet<PixelSplit>> {
  const root = dataRoot();
  const folder = locateFolder(
    'cifar100',
    [join(root, 'cifar-100-binary'), join(root, 'cifar100')],
    ['train.bin', 'test.bin', 'fine_label_names.txt'],
    'Put the "CIFAR-100 binary version" (cifar-100-binary.tar.gz, unpacked) into the first folder; set SIGNUM_DATA to use another root.',
  );
  const classes = readFileSync(join(folder, 'fine_label_names.txt'), 'utf8').trim().split(/\s+/);
  // a coarse label, then the fine one
  const read = (part: 'train' | 'test') =>
    checkSplit(folder, readBatch(join(folder, `${part}.bin`), counts[part], 2), shape, classes.length);
  const [train, test] = [read('train'), read('test')];
  return { name: 'cifar100', shape, classes, train, test, ...pixelStatistics(train.pixels, 3) };
}
