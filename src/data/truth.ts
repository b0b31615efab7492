import { DataError } from '../core/errors.ts';
import type { Placement } from './placement.ts';

/** Numbers as they lie in memory that threads share. */
export type Values = Uint8Array | Uint16Array | Int32Array | Float32Array;

/** Any number of values an image: those of image i lie from offsets[i] to offsets[i + 1]. */
export interface Ragged<A extends Values = Values> {
  /** One more than images. */
  readonly offsets: Uint32Array;
  readonly values: A;
}

/** What is known of all images of a split, or of a batch: equally many values each, one image after the other, or as many as each has. */
export type Column<A extends Values = Values> = A | Ragged<A>;

/** Columns by name. A split has them beside its pixels, a batch beside its images. */
export type Truths = { readonly [name: string]: Column };

/** The truth of classifiers: the class of each image. */
export type Labels = { readonly labels: Uint16Array };

/**
 * Moves the values of one image as its pixels are.
 *
 * @param values of the image, in the picture's own pixels where they are positions
 * @param into room for as many as the input can have
 * @returns how many are there now
 */
export type Mover = (values: Values, placement: Placement, into: Values) => number;

/** A function by the module that exports it: threads import it, where they could not be handed a closure. */
export interface MoverAddress {
  /** What `import()` takes; `import.meta.url` where the mover stands beside its field. */
  readonly module: string;
  readonly name: string;
}

/** What checks of a split know. */
export interface TruthPlace {
  /** How errors call the split. */
  readonly name: string;
  readonly count: number;
  /** [H,W,C] of the input. */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
  /** The images are files of any size. */
  readonly ofFiles: boolean;
}

/** One thing that is known of images: what a reader supplies of it, and how it moves when its image is cropped, scaled and mirrored. */
export interface TruthField<C extends Column = Column> {
  /** Such as `boxes`. */
  readonly id: string;
  /** Values of each image in a batch, for an input of this shape; default: as in the split. */
  readonly perImage?: (shape: TruthPlace['shape']) => number;
  /** Absent: what is known of an image holds for all parts of it. */
  readonly mover?: MoverAddress;
  /** @throws DataError for values that cannot be right, before the first step */
  check?(column: C, place: TruthPlace): void;
  /** The column when its classes get other numbers. @param places the new number of each class */
  renumbered?(column: C, places: Uint16Array): Column;
}

/** The fields of a task's truth by the names of their columns. */
export type Truth<T = Truths> = { readonly [K in keyof T]: TruthField<T[K] & Column> };

const ownNames = ['count', 'pixels', 'files', 'broken', 'images', 'places', 'mixture'];

const isColumn = (value: unknown): boolean =>
  ArrayBuffer.isView(value) || (value !== null && typeof value === 'object' && 'offsets' in value && 'values' in value);

export const isRagged = (column: Column): column is Ragged => 'offsets' in column;

/** All columns of a split. */
export const columnsOf = (split: object): [string, Column][] =>
  Object.entries(split).filter(([name, value]) => !ownNames.includes(name) && isColumn(value));

/** The values of one image, without a copy. @param count images of the column */
export function rowOf(column: Column, image: number, count: number): Values {
  if (isRagged(column)) return column.values.subarray(column.offsets[image]!, column.offsets[image + 1]!);
  const width = column.length / count;
  return column.subarray(image * width, (image + 1) * width);
}

/** An array like another, in memory that threads share. */
export function sharedLike<A extends Values>(values: A, length: number): A {
  const make = values.constructor as new (buffer: SharedArrayBuffer) => A;
  return new make(new SharedArrayBuffer(length * values.BYTES_PER_ELEMENT));
}

function sharedCopy<A extends Values>(values: A): A {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = sharedLike(values, values.length);
  copy.set(values);
  return copy;
}

/** The same column in memory that threads see without a copy. */
export const inSharedMemory = (column: Column): Column =>
  isRagged(column) ? { offsets: column.offsets, values: sharedCopy(column.values) } : sharedCopy(column);

/** The rows of these images, in this order. */
export function rowsOf(column: Column, places: Uint32Array, count: number): Column {
  const rows = Array.from(places, (image) => rowOf(column, image, count));
  const all = isRagged(column) ? column.values : column;
  const values = sharedLike(
    all,
    rows.reduce((sum, { length }) => sum + length, 0),
  );
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    values.set(row, offsets[i]);
    offsets[i + 1] = offsets[i]! + row.length;
  });
  return isRagged(column) ? { offsets, values } : values;
}

/** Lists of values, one an image, as one column. @param like the array it is to be made of */
export function ragged<A extends Values>(
  rows: readonly ArrayLike<number>[],
  like: new (length: number) => A,
): Ragged<A> {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    offsets[i + 1] = offsets[i]! + row.length;
  });
  const values = sharedLike(new like(0), offsets.at(-1)!);
  rows.forEach((row, i) => {
    values.set(row as ArrayLike<number> & A, offsets[i]);
  });
  return { offsets, values };
}

/**
 * Asks a split for everything that a truth needs.
 *
 * @throws DataError when a column is missing, does not fit the number of images, or holds what cannot be
 */
export function checkTruth(truth: Truth, split: object, place: TruthPlace): void {
  const columns = new Map(columnsOf(split));
  for (const [name, field] of Object.entries(truth)) {
    if (ownNames.includes(name))
      throw new DataError(`a truth cannot be called "${name}": batches have a field of that name; take another`);
    const column = columns.get(name);
    if (!column)
      throw new DataError(
        `${place.name}: its images have no "${name}" (${field.id}); they have ${[...columns.keys()].join(', ') || 'nothing but pixels'}. Read them with the set, or choose a task that does without`,
      );
    const fits = isRagged(column)
      ? column.offsets.length === place.count + 1 && column.offsets[place.count] === column.values.length
      : column.length % place.count === 0;
    if (!fits)
      throw new DataError(
        `${place.name}: ${place.count} images, but "${name}" has ${isRagged(column) ? `${column.offsets.length} offsets, the last ${column.offsets.at(-1)}, for` : ''} ${isRagged(column) ? column.values.length : column.length} values; expected ${isRagged(column) ? 'one offset more than images, the last the number of values' : 'equally many for each'}`,
      );
    field.check?.(column, place);
  }
}
