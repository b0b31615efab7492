import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import type { DataSet, Split } from './dataset.ts';
import { columnsOf, isRagged } from './truth.ts';

/** Of CIFAR-10 in the order of `inClassOrder`: of the images whose Python batches have the MD5 sums that were published with them. */
const cifar10Digest = '687bbe24215e113729de2a5b9b05138c5fb1c25611b253104f9140b061e5d384';

/**
 * Names images, labels and their order: SHA-256 over the pixels of the training images, what is known of them (labels as 16 bits,
 * little-endian), then the test's. A folder, whose pictures are not held in memory, by their names, sizes and labels.
 *
 * @returns 64 hexadecimal digits
 */
export function digestOf(data: Pick<DataSet<Split<object>>, 'name' | 'train' | 'test' | 'digest'>): string {
  if (data.digest !== undefined) return data.digest;
  const hash = createHash('sha256');
  const add = (split: Split<object>) => {
    if ('files' in split)
      for (const file of split.files)
        hash.update(JSON.stringify([relative(data.name, file), statSync(file, { throwIfNoEntry: false })?.size]));
    else hash.update(split.pixels);
    for (const [, column] of columnsOf(split).sort(([a], [b]) => (a < b ? -1 : 1)))
      for (const values of isRagged(column) ? [column.offsets, column.values] : [column])
        hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  add(data.train);
  add(data.test);
  return hash.digest('hex');
}

/** Whether these are the 60,000 images of CIFAR-10 as they were published. @param digest of them in class order */
export const isOriginalCifar10 = (digest: string): boolean => digest === cifar10Digest;

/** What people read of it; empty where nothing is known. */
export const pixelsText = (original: boolean | undefined): string =>
  original === undefined ? '' : original ? 'original pixels' : 'not the original pixels (recompressed?)';
