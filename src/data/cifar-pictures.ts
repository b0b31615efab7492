import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { checkBroken, skippedText, usuallyAllowed } from './broken-files.ts';
import { cachedSplit, type DecodedSplit } from './cache.ts';
import { inClassOrder } from './class-order.ts';
import { checkCount, type SetCounts } from './counts.ts';
import { checkSplit, type PixelSplit, type Unmeasured } from './dataset.ts';
import { headerProblem } from './image-header.ts';
import { decodeAll } from './images.ts';
import type { LoadOptions } from './load-options.ts';
import { isLeftBySystem, listPictures, namesPicture, type UnusedFile } from './picture-files.ts';
import { readTar } from './tar.ts';

/** The classes in the order of their labels, which are the names of the folders too. */
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

/** Class of a picture named .../{class}/{file}. @throws DataError for a folder of another name */
function labelOf(path: string, name: string): number {
  const folder = name.split('/').at(-2) ?? '';
  const label = cifar10Classes.indexOf(folder);
  if (label >= 0) return label;
  throw new DataError(
    `${path}: ${printable(name)} lies in folder "${printable(folder)}", which is none of the classes ${cifar10Classes.join(', ')}`,
  );
}

interface Listing {
  /** Names, sorted, and bytes or paths. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array | string }[];
  readonly skipped: readonly UnusedFile[];
  readonly broken: readonly UnusedFile[];
}

/** Pictures of a tar named .../{class}/{file}. */
async function listTar(path: string): Promise<Listing> {
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
  return { files, skipped, broken };
}

/** Pictures of a folder, in folders of their classes. */
async function listFolder(path: string): Promise<Listing> {
  const { pictures, skipped, broken } = listPictures(path, `${path}/`);
  return { files: pictures.map(({ name, path: bytes }) => ({ name, bytes })), skipped, broken };
}

function loadSplit(path: string, kind: string, list: (path: string) => Promise<Listing>): Promise<DecodedSplit> {
  return cachedSplit(path, kind, async () => {
    const { files, skipped, broken } = await list(path);
    const labels = files.map(({ name }) => labelOf(path, name));
    const { pixels, places, broken: undecodable } = await decodeAll(files, shape);
    const split = { count: places.length, labels: Uint16Array.from(places, (place) => labels[place]!), pixels };
    const names = places.map((place) => files[place]!.name);
    return { split, names, skipped, broken: [...broken, ...undecodable] };
  });
}

/**
 * CIFAR-10 as pictures, by class and by the number in their names.
 *
 * @param folder with `train` and `test`: tars (`ending` is `.tar`), or folders
 */
export async function loadCifar10Pictures(
  folder: string,
  ending: string,
  { allowBroken = usuallyAllowed, tell = () => {}, counts }: LoadOptions & { readonly counts: SetCounts },
): Promise<Unmeasured<PixelSplit>> {
  const load = async (part: 'train' | 'test') => {
    const path = join(folder, `${part}${ending}`);
    const loaded = await loadSplit(path, `cifar10${ending}`, ending ? listTar : listFolder);
    checkCount(path, loaded.split.count + loaded.broken.length, counts[part]);
    return loaded;
  };
  const [train, test] = [await load('train'), await load('test')];
  const [skipped, broken] = [
    [...train.skipped, ...test.skipped],
    [...train.broken, ...test.broken],
  ];
  const count = train.split.count + test.split.count;
  checkBroken(folder, broken, count, allowBroken);
  const unused = [...broken, ...skipped];
  if (unused.length > 0) tell(`${folder}: ${count} images, ${cifar10Classes.length} classes, ${skippedText(unused)}`);
  const data: Unmeasured<PixelSplit> = {
    name: 'cifar10',
    shape,
    classes: cifar10Classes,
    train: checkSplit(`train${ending}`, train.split, shape, cifar10Classes.length),
    test: checkSplit(`test${ending}`, test.split, shape, cifar10Classes.length),
    skipped: unused,
  };
  return inClassOrder(data, { train: train.names, test: test.names });
}
