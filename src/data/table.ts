import { existsSync } from 'node:fs';
import { DataError, UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { loadCifar10, loadCifar100 } from './cifar.ts';
import type { DataSet } from './dataset.ts';
import { loadFolder } from './folder.ts';
import { loadFashionMnist, loadMnist } from './mnist.ts';

export interface DataEntry {
  readonly id: string;
  readonly title: string;
  readonly load: () => DataSet | Promise<DataSet>;
}

export const dataSets: readonly DataEntry[] = [
  { id: 'mnist', title: 'MNIST digits, 28x28x1, 60,000 + 10,000', load: loadMnist },
  { id: 'fashion-mnist', title: 'Fashion-MNIST, 28x28x1, 60,000 + 10,000', load: loadFashionMnist },
  { id: 'cifar10', title: 'CIFAR-10, 32x32x3, 50,000 + 10,000', load: loadCifar10 },
  { id: 'cifar100', title: 'CIFAR-100, 32x32x3, 50,000 + 10,000, 100 classes', load: loadCifar100 },
];

/**
 * Loads a data set by name, or a folder of images by path (`./photos` or `./photos@64` for 64 pixels a side).
 *
 * @throws UsageError for an unknown name, DataError when it is missing or damaged
 */
export async function loadDataSet(id: string): Promise<DataSet> {
  const entry = dataSets.find((candidate) => candidate.id === id);
  if (entry) return entry.load();
  const [, path, side] = /^(.*?)(?:@(\d+))?$/.exec(id) ?? [];
  if (path && existsSync(path)) return loadFolder(path, side ? Number(side) : 32);
  if (path && /[/\\]/.test(path)) throw new DataError(`data folder ${path} does not exist`);
  throw new UsageError(
    `unknown data set "${id}"${suggestion(
      id,
      dataSets.map((d) => d.id),
    )}; \`signum data\` lists all, or give a folder like ./photos@64`,
  );
}
