import { statSync } from 'node:fs';
import { DataError } from '../core/errors.ts';
import { fileProblem } from './files.ts';

/** How many images a published set has. */
export interface SetCounts {
  readonly train: number;
  readonly test: number;
}

const cure =
  'the file is cut, or it is another set: download it again; to train on a part of the images, put them into a folder of classes and give its path as the data';

/** @throws DataError when a set has other images than it was published with: training would go on with what is left */
export function checkCount(name: string, count: number, expected: number): void {
  if (count === expected) return;
  throw new DataError(
    `${name}: ${count.toLocaleString('en')} images, expected ${expected.toLocaleString('en')}; ${cure}`,
  );
}

/** Asked of a file before it is read into memory. @throws DataError when it is not of this many bytes */
export function checkFileSize(path: string, expected: number, what: string): void {
  let size: number;
  try {
    size = statSync(path).size;
  } catch (error) {
    throw fileProblem('read', path, error);
  }
  if (size === expected) return;
  throw new DataError(
    `${path}: ${size.toLocaleString('en')} bytes, expected ${expected.toLocaleString('en')} (${what}); ${cure}`,
  );
}
