import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { listed, printable } from '../core/printable.ts';
import { BrokenFiles, checkBroken, skippedText, usuallyAllowed } from './broken-files.ts';
import { checkClasses, type DataSet, type FileSplit, pixelStatistics, sampleOf } from './dataset.ts';
import { isFolder } from './files.ts';
import { decodeAll } from './images.ts';
import type { LoadOptions } from './load-options.ts';
import { entriesOf, isLeftBySystem, listPictures, type UnusedFile } from './picture-files.ts';

/** Images decoded to estimate the mean and the spread of the channels. */
const statisticsSample = 2048;

/** A million files take a minute. */
const patienceMs = 2000;

const testShare = 1 / 5;
const testNames = ['test', 'val', 'valid', 'validation'];

interface Picture {
  readonly path: string;
  /** Relative to the data set's folder. */
  readonly name: string;
  readonly label: string;
}

interface Found {
  readonly classes: readonly string[];
  readonly pictures: readonly Picture[];
  readonly skipped: readonly UnusedFile[];
  readonly broken: readonly UnusedFile[];
}

/** The class folders in a folder and their pictures. Class names are composed as Unicode's NFC, which not every system stores. */
function findClasses(folder: string, prefix: string, tell: (line: string) => void): Found {
  const begin = performance.now();
  let isTold = false;
  const classes = new Set<string>();
  const [pictures, skipped, broken]: [Picture[], UnusedFile[], UnusedFile[]] = [[], [], []];
  for (const { name, kind, isReadable } of entriesOf(folder)) {
    const relative = `${prefix}${name}`;
    if (isLeftBySystem(name)) skipped.push({ name: relative, reason: 'hidden' });
    else if (kind !== 'folder') skipped.push({ name: relative, reason: 'in no class folder' });
    else if (!isReadable) throw new DataError(`${printable(join(folder, name))}: its name is not UTF-8; rename it`);
    else {
      if (!isTold && performance.now() - begin > patienceMs) {
        isTold = true;
        tell(`looking at the beginning of every file in ${printable(folder)}`);
      }
      const label = name.normalize('NFC');
      classes.add(label);
      const listing = listPictures(join(folder, name), `${relative}/`);
      for (const picture of listing.pictures) pictures.push({ ...picture, label });
      skipped.push(...listing.skipped);
      broken.push(...listing.broken);
    }
  }
  return { classes: [...classes].sort(), pictures, skipped, broken };
}

/** Whether a picture is of the fifth kept for the test: by its own name alone, so that new ones move no old one. */
function isForTest(name: string, seed: number): boolean {
  const digest = createHash('sha256')
    .update(`${seed}/${name.normalize('NFC')}`)
    .digest();
  return digest.readUInt32BE() < testShare * 2 ** 32;
}

interface Parts extends Omit<Found, 'pictures'> {
  readonly train: readonly Picture[];
  readonly test: readonly Picture[];
  readonly isFlat: boolean;
}

function flatParts(path: string, seed: number, tell: (line: string) => void): Parts {
  const { pictures, ...found } = findClasses(path, '', tell);
  const [train, test]: [Picture[], Picture[]] = [[], []];
  for (const picture of pictures) (isForTest(picture.name, seed) ? test : train).push(picture);
  return { ...found, train, test, isFlat: true };
}

/** @throws DataError when the test has pictures of a class that train has not */
function dividedParts(path: string, testName: string, tell: (line: string) => void): Parts {
  const train = findClasses(join(path, 'train'), 'train/', tell);
  const test = findClasses(join(path, testName), `${testName}/`, tell);
  const unknown = test.classes.filter((label) => !train.classes.includes(label));
  const shown = unknown.filter((label) => test.pictures.some((picture) => picture.label === label));
  if (shown.length > 0)
    throw new DataError(
      `${printable(path)}: ${testName}/ has pictures of ${listed(shown)}, of which train/ has no folder; a network cannot learn it: move some to train/, or take the folder away`,
    );
  const empty = unknown.map((label) => ({ name: `${testName}/${label}`, reason: 'an empty folder' }));
  return {
    classes: train.classes,
    train: train.pictures,
    test: test.pictures,
    skipped: [...train.skipped, ...test.skipped, ...empty],
    broken: [...train.broken, ...test.broken],
    isFlat: false,
  };
}

function partsOf(path: string, seed: number, tell: (line: string) => void): Parts {
  if (!isFolder(path))
    throw new DataError(`${printable(path)} is not a folder; give one with a folder of pictures per class`);
  const tests = testNames.filter((name) => isFolder(join(path, name)));
  const hasTrain = isFolder(join(path, 'train'));
  if (hasTrain && tests.length > 0) return dividedParts(path, tests[0]!, tell);
  if (hasTrain)
    throw new DataError(
      `${printable(path)} has train/ but none of ${testNames.map((name) => `${name}/`).join(', ')}; add one with the same class folders, or give ${printable(join(path, 'train'))}, of which a fifth is then kept for the test`,
    );
  if (tests.length > 0)
    throw new DataError(`${printable(path)} has ${tests[0]}/ but no train/; add one with the same class folders`);
  return flatParts(path, seed, tell);
}

const lacking = (classes: readonly string[], pictures: readonly Picture[]): string[] => {
  const seen = new Set(pictures.map(({ label }) => label));
  return classes.filter((label) => !seen.has(label));
};

/** @throws DataError when there is not a picture of every class, in each part */
function checkClassFolders(path: string, { classes, train, test, isFlat }: Parts): void {
  if (classes.length < 2)
    throw new DataError(
      `${printable(path)}: expected a folder of pictures per class, at least two; found ${classes.length === 0 ? 'none' : `only ${listed(classes)}`}`,
    );
  checkClasses(printable(path), classes.length);
  const untaught = lacking(classes, train);
  if (untaught.length > 0)
    throw new DataError(
      `${printable(path)}: no pictures ${isFlat ? '' : 'in train/ '}of ${listed(untaught)}${isFlat ? ' to train on (a fifth is kept for the test)' : ''}; every class needs some: add them, or take the folder away`,
    );
  const untested = lacking(classes, test);
  if (untested.length > 0 && !isFlat)
    throw new DataError(
      `${printable(path)}: no test pictures of ${listed(untested)}; every class of train/ needs some: add them, or take the folder away`,
    );
  if (test.length === 0)
    throw new DataError(`${printable(path)}: too few pictures to keep a fifth for the test; add more`);
}

function splitOf(pictures: readonly Picture[], classes: readonly string[], tell: (line: string) => void): FileSplit {
  const index = new Map(classes.map((label, i) => [label, i]));
  // class by class, whatever folders a class came from
  const sorted = [...pictures].sort((a, b) => index.get(a.label)! - index.get(b.label)!);
  return {
    count: sorted.length,
    labels: Uint16Array.from(sorted, ({ label }) => index.get(label)!),
    files: sorted.map(({ path }) => path),
    broken: new BrokenFiles(sorted.length, tell),
  };
}

/** `photos: 315 images, 3 classes, 2 skipped (...)` */
function foundText(path: string, { classes, train, test, skipped, broken, isFlat }: Parts): string {
  const unused = [...broken, ...skipped];
  const untested = isFlat ? lacking(classes, test) : [];
  return [
    `${printable(path)}: ${train.length + test.length} images`,
    `${classes.length} classes`,
    ...(unused.length > 0 ? [skippedText(unused)] : []),
    ...(isFlat ? [`${test.length} of them kept for the test`] : []),
    ...(untested.length > 0 ? [`none of ${listed(untested)}`] : []),
  ].join(', ');
}

/** Statistics of a sample of the training pictures, and which of these cannot be decoded. */
async function sampleStatistics(train: readonly Picture[], shape: readonly [number, number, number]) {
  const split = { count: train.length, labels: new Uint16Array(train.length), files: train.map(({ path }) => path) };
  const sampled = sampleOf(split, statisticsSample).files.map((file) => ({ name: file, bytes: file }));
  const { pixels, broken } = await decodeAll(sampled, shape);
  return { statistics: pixelStatistics(pixels, shape[2]), broken };
}

/**
 * A folder `train/{class}/*` and `test/{class}/*` (or `val`, `valid`, `validation`), or just `{class}/*`, of which a fifth is kept for the test.
 * Pictures of any size and kind, nested as they like, are scaled and cropped to `side` pixels when they are needed: only their names are
 * held in memory. What is hidden or no picture is skipped; broken pictures are, up to the share allowed.
 *
 * @throws DataError when a class has no pictures, the layout is another, or too many pictures are broken
 */
export async function loadFolder(path: string, side: number, options: LoadOptions = {}): Promise<DataSet<FileSplit>> {
  const { splitSeed = 1, allowBroken = usuallyAllowed, tell = () => {} } = options;
  const parts = partsOf(path, splitSeed, tell);
  checkBroken(path, parts.broken, parts.train.length + parts.test.length, allowBroken);
  checkClassFolders(path, parts);
  const shape = [side, side, 3] as const;
  const { statistics, broken } = await sampleStatistics(parts.train, shape);
  const lost = new Map(broken.map(({ name, reason }) => [name, reason]));
  const found: Parts = {
    ...parts,
    train: parts.train.filter((picture) => !lost.has(picture.path)),
    broken: [
      ...parts.broken,
      ...parts.train.flatMap(({ path: file, name }) => (lost.has(file) ? [{ name, reason: lost.get(file)! }] : [])),
    ],
  };
  checkBroken(path, found.broken, found.train.length + found.test.length, allowBroken);
  checkClassFolders(path, found);
  tell(foundText(path, found));
  return {
    name: path,
    shape,
    classes: found.classes,
    train: splitOf(found.train, found.classes, tell),
    test: splitOf(found.test, found.classes, tell),
    ...statistics,
    skipped: [...found.broken, ...found.skipped],
  };
}
