import { existsSync } from 'node:fs';
import { DataError, UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { suggestion } from '../core/suggest.ts';
import type { Augmentation } from './batches.ts';
import { loadCifar10, loadCifar100 } from './cifar.ts';
import type { DataSet, Split } from './dataset.ts';
import { loadFolder } from './folder.ts';
import type { LoadOptions } from './load-options.ts';
import { loadFashionMnist, loadMnist } from './mnist.ts';

/** A data set by its name, as a value. */
export interface DataEntry {
  readonly id: string;
  readonly title: string;
  /** With what its tasks must know of images: a class each, for classification. */
  readonly load: (options: LoadOptions) => DataSet<Split<object>> | Promise<DataSet<Split<object>>>;
  /** What every reference trains it with; digits and clothes are used as they are. */
  readonly augmentation?: Augmentation;
}

/** He et al. 2016, sec. 4.2. */
export const shiftedAndMirrored = { padCrop: 4, flip: true } as const satisfies Augmentation;

/** The data sets that have a name; folders of pictures go by their path. */
export const dataSets: readonly DataEntry[] = [
  { id: 'mnist', title: 'MNIST digits, 28x28x1, 60,000 + 10,000', load: loadMnist },
  { id: 'fashion-mnist', title: 'Fashion-MNIST, 28x28x1, 60,000 + 10,000', load: loadFashionMnist },
  {
    id: 'cifar10',
    title: 'CIFAR-10, 32x32x3, 50,000 + 10,000',
    load: loadCifar10,
    augmentation: shiftedAndMirrored,
  },
  {
    id: 'cifar100',
    title: 'CIFAR-100, 32x32x3, 50,000 + 10,000, 100 classes',
    load: loadCifar100,
    augmentation: shiftedAndMirrored,
  },
];

/** The augmentation a data set is usually trained with; of folders, unknown names and sets without, undefined. */
export const usualAugmentation = (id: string, own: readonly DataEntry[] = []): Augmentation | undefined =>
  [...own, ...dataSets].find((entry) => entry.id === id)?.augmentation;

/** Pixels a side of a folder's pictures when nobody says. */
const usualSide = 32;
const mostSide = 4096;

/** The folder and the side that `photos@64` names; a path that exists as it is given wins. */
function folderNamed(id: string): { path: string; side: number | null } {
  const [, path = '', given] = existsSync(id) ? [id, id] : (/^(.*)@(\d+)$/s.exec(id) ?? [id, id]);
  if (given === undefined) return { path, side: null };
  const side = Number(given);
  if (side < 1 || side > mostSide)
    throw new UsageError(
      `${printable(id)}: pictures of ${given} pixels a side; expected @1 to @${mostSide}, e.g. ${printable(path)}@64`,
    );
  return { path, side };
}

/**
 * Loads a data set by name, or a folder of images by path (`./photos` or `./photos@64` for 64 pixels a side).
 *
 * @param own looked at first
 * @throws UsageError for an unknown name, DataError when it is missing or damaged
 */
export async function loadDataSet(
  id: string,
  options: LoadOptions = {},
  own: readonly DataEntry[] = [],
): Promise<DataSet> {
  const entry = [...own, ...dataSets].find((candidate) => candidate.id === id);
  // whether its images are known by what is needed, the task says (`checkTruth`)
  if (entry) return (await entry.load(options)) as DataSet;
  const { path, side } = folderNamed(id);
  if (existsSync(path)) return { ...(await loadFolder(path, side ?? usualSide, options)), anyShape: side === null };
  if (/[/\\]/.test(path) || side !== null) throw new DataError(`data folder ${printable(path)} does not exist`);
  throw new UsageError(
    `unknown data set "${printable(id)}"${suggestion(
      id,
      [...own, ...dataSets].map((d) => d.id),
    )}; \`signum data\` lists all, or give a folder like ./photos@64, or one of your own with --plugin <its file>`,
  );
}
