import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { checkSplit, type DataSet, pixelStatistics, type Split } from './dataset.ts';
import { decodeAll } from './images.ts';

const imageName = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

async function loadSplit(
  folder: string,
  classes: readonly string[],
  shape: readonly [number, number, number],
): Promise<Split> {
  const files = classes.flatMap((name, label) => {
    const inside = join(folder, name);
    if (!existsSync(inside)) return [];
    return readdirSync(inside)
      .filter((file) => imageName.test(file))
      .sort()
      .map((file) => ({ name: join(inside, file), bytes: readFileSync(join(inside, file)), label }));
  });
  const labels = Uint16Array.from(files, (file) => file.label);
  return checkSplit(
    folder,
    { count: files.length, labels, pixels: await decodeAll(files, shape) },
    shape,
    classes.length,
  );
}

/**
 * A folder `train/{class}/*` and `test/{class}/*` (or `val`), images of any size, scaled and cropped to `side` pixels.
 *
 * @throws DataError when the layout is not that, or an image cannot be decoded
 */
export async function loadFolder(path: string, side: number): Promise<DataSet> {
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
  const trainSplit = await loadSplit(train, classes, shape);
  const testSplit = await loadSplit(test, classes, shape);
  return { name: path, shape, classes, train: trainSplit, test: testSplit, ...pixelStatistics(trainSplit.pixels, 3) };
}
