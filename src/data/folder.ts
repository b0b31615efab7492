import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { type DataSet, type FileSplit, pixelStatistics, sampleOf } from './dataset.ts';
import { decodeAll } from './images.ts';

const imageName = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Images decoded to estimate the mean and the spread of the channels. */
const statisticsSample = 2048;

function listSplit(folder: string, classes: readonly string[]): FileSplit {
  const perClass = classes.map((name) => {
    const inside = join(folder, name);
    if (!existsSync(inside)) return [];
    const names = readdirSync(inside).filter((file) => imageName.test(file));
    return names.sort().map((file) => join(inside, file));
  });
  const files = perClass.flat();
  if (files.length === 0) throw new DataError(`${folder}: no images in its class folders; the data set is empty`);
  return {
    count: files.length,
    labels: Uint16Array.from(perClass.flatMap((some, label) => some.map(() => label))),
    files,
  };
}

/**
 * A folder `train/{class}/*` and `test/{class}/*` (or `val`), images of any size, scaled and cropped to `side` pixels when they are
 * needed: only their names are held in memory.
 *
 * @throws DataError when the layout is not that, or one of the images sampled for the channels' statistics cannot be decoded
 */
export async function loadFolder(path: string, side: number): Promise<DataSet<FileSplit>> {
  const train = join(path, 'train');
  const test = ['test', 'val'].map((name) => join(path, name)).find(existsSync);
  if (!existsSync(train) || !test)
    throw new DataError(`${path}: expected the folders train/{class} and test/{class} (or val/{class})`);
  const classes = readdirSync(train)
    .filter((name) => statSync(join(train, name)).isDirectory())
    .sort();
  if (classes.length < 2)
    throw new DataError(`${train}: expected a sub-folder per class, at least two; found ${classes.length}`);
  const shape = [side, side, 3] as const;
  const [trainSplit, testSplit] = [listSplit(train, classes), listSplit(test, classes)];
  const sampled = sampleOf(trainSplit, statisticsSample).files.map((file) => ({ name: file, bytes: file }));
  const statistics = pixelStatistics(await decodeAll(sampled, shape), 3);
  return { name: path, shape, classes, train: trainSplit, test: testSplit, ...statistics };
}
