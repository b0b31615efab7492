import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, bytesOf } from '../core/bytes.ts';
import { DataError } from '../core/errors.ts';
import { cifar10Classes, loadCifar10Pictures } from './cifar-pictures.ts';
import { inClassOrder } from './class-order.ts';
import { checkFileSize, type SetCounts } from './counts.ts';
import { checkSplit, type DataSet, type PixelSplit, pixelStatistics, type Unmeasured } from './dataset.ts';
import { digestOf, isOriginalCifar10, pixelsText } from './digest.ts';
import { isFolder } from './files.ts';
import type { LoadOptions } from './load-options.ts';
import { dataRoot, locateFolder } from './locate.ts';

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

/** The binary batches, in their order. */
function loadCifar10Batches(folder: string, counts: SetCounts): Unmeasured<PixelSplit> {
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
  };
}

async function readCifar10(options: LoadOptions): Promise<Unmeasured<PixelSplit>> {
  const [root, { counts = published }] = [dataRoot(), options];
  const own = join(root, 'cifar10');
  const holds = (source: (part: string) => boolean) => source('train') && source('test');
  for (const ending of ['.tar', ''])
    if (holds((part) => (ending ? existsSync(join(own, `${part}.tar`)) : isFolder(join(own, part)))))
      return loadCifar10Pictures(own, ending, { ...options, counts });
  const folder = locateFolder(
    'cifar10',
    [join(root, 'cifar-10-batches-bin'), own],
    [...trainBatches, 'test_batch.bin'],
    'Put the "CIFAR-10 binary version" (cifar-10-binary.tar.gz, unpacked) into the first folder, or train.tar and test.tar of images, or train/ and test/ with a folder of images per class, into the second; set SIGNUM_DATA to use another root.',
  );
  return inClassOrder(loadCifar10Batches(folder, counts));
}

/**
 * CIFAR-10, 32x32x3, by class and place within the class, whatever it is read from: `$SIGNUM_DATA/cifar10/{train,test}.tar` of images,
 * `cifar10/{train,test}/{class}/*` as files, or the binary batches (`cifar-10-batches-bin`). Says whether the pixels are the published ones.
 */
export async function loadCifar10(options: LoadOptions = {}): Promise<DataSet<PixelSplit>> {
  const data = await readCifar10(options);
  const digest = digestOf(data);
  const originalPixels = isOriginalCifar10(digest);
  options.tell?.(`${data.name}: ${pixelsText(originalPixels)}`);
  return { ...data, ...pixelStatistics(data.train.pixels, 3), digest, originalPixels };
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
