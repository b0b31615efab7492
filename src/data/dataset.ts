import { DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import type { ResizeRule } from '../runtime/graph.ts';
import type { BrokenFiles } from './broken-files.ts';
import type { UnusedFile } from './picture-files.ts';
import { columnsOf, type Labels, rowsOf } from './truth.ts';

interface Counted {
  readonly count: number;
}

/** Images of one size, as bytes, and what is known of them: of classifiers' sets `labels`, the class index of each. */
export type PixelSplit<T = Labels> = Counted & {
  /** Pixels 0..255, [count,H,W,C]. */
  readonly pixels: Uint8Array;
} & T;

/** Image files of any size, decoded again each time one is asked for: as large as the disk. */
export type FileSplit<T = Labels> = Counted & {
  /** Paths. */
  readonly files: readonly string[];
  /** Where pictures that fail to decode are noted; without it, the first one is an error. */
  readonly broken?: Pick<BrokenFiles, 'add'>;
} & T;

/** Training or test images: bytes in memory, or files that are decoded as they are needed. */
export type Split<T = Labels> = PixelSplit<T> | FileSplit<T>;

/** Images and labels, what the classes are called, and how pixels are normalised. */
export interface DataSet<S extends Split<object> = Split> {
  readonly name: string;
  /** [H,W,C] */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
  readonly train: S;
  readonly test: S;
  /** Per channel, of pixels/255 over the training images. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Nobody asked for this shape: the files can as well be decoded at the size a model needs. */
  readonly anyShape?: boolean;
  /** How its picture files are brought to the size, where a model says; absent: as is usual. */
  readonly resize?: ResizeRule;
  /** Files of its folder or tar that are not used. */
  readonly skipped?: readonly UnusedFile[];
  /** How the images are sorted, whatever they were read from; absent: as the source has them. */
  readonly order?: 'class';
  /** Places that give the images as the source has them, of the splits that are sorted otherwise. */
  readonly sourceOrder?: { readonly train?: Uint32Array; readonly test?: Uint32Array };
  /** `digestOf` the images, where it was taken when they were loaded. */
  readonly digest?: string;
  /** Whether the pixels are those that were published (not compressed again, say); absent where that is not known. */
  readonly originalPixels?: boolean;
}

/** A data set before its channels are measured. */
export type Unmeasured<S extends Split<object> = Split> = Omit<DataSet<S>, 'mean' | 'std'>;

/** Labels are 16 bits wide. */
const mostClasses = 2 ** 16;

/** @throws DataError when there are more classes than labels can tell apart */
export function checkClasses(name: string, classes: number): void {
  if (classes > mostClasses)
    throw new DataError(`${name}: ${classes} classes, but labels of 16 bits tell at most ${mostClasses} apart`);
}

/** Mean and standard deviation per channel of pixels/255, in whatever order the images come: sums of whole numbers are exact. */
export function pixelStatistics(pixels: Uint8Array, channels: number): { mean: number[]; std: number[] } {
  const n = pixels.length / channels;
  const [mean, std]: [number[], number[]] = [[], []];
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (let i = c; i < pixels.length; i += channels) {
      const value = pixels[i]!;
      sum += value;
      squares += value * value;
    }
    const average = sum / (255 * n);
    mean.push(average);
    std.push(Math.max(Math.sqrt(Math.max(0, squares / (255 * 255 * n) - average ** 2)), 1e-3));
  }
  return { mean, std };
}

/**
 * The split, checked, its pixels in shared memory.
 *
 * @throws DataError when a split is empty, has a label outside the classes, or sizes that do not fit
 */
export function checkSplit(name: string, split: PixelSplit, shape: readonly number[], classes: number): PixelSplit {
  const size = shape.reduce((a, b) => a * b, 1);
  checkClasses(name, classes);
  if (split.count === 0) throw new DataError(`${name}: no images; the data set is empty`);
  if (split.labels.length !== split.count || split.pixels.length !== split.count * size) {
    throw new DataError(`${name}: ${split.pixels.length / size} images but ${split.labels.length} labels`);
  }
  const wrong = split.labels.findIndex((label) => label >= classes);
  if (wrong >= 0)
    throw new DataError(
      `${name}: image ${wrong} has label ${split.labels[wrong]}, but there are only ${classes} classes`,
    );
  return { ...split, pixels: sharedPixels(split.pixels) };
}

/** Into memory that worker threads see without a copy; labels are too few to matter. */
function sharedPixels(pixels: Uint8Array): Uint8Array {
  if (pixels.buffer instanceof SharedArrayBuffer) return pixels;
  const copy = new Uint8Array(new SharedArrayBuffer(pixels.byteLength));
  copy.set(pixels);
  return copy;
}

/** `count` images of a split, drawn at random but always the same ones: folders and tars are sorted by class. All when it has fewer. */
export function sampleOf<S extends Split<object>>(split: S, count: number): S {
  if (count >= split.count) return split;
  return imagesOf(split, new Random(0).permutation(split.count).subarray(0, count));
}

/** The images of these places, in this order, with all that is known of them; a place may come more than once. */
export function imagesOf<S extends Split<object>>(split: S, places: Uint32Array): S;
export function imagesOf(split: Split<object>, places: Uint32Array): Split<object> {
  const count = places.length;
  const truths = Object.fromEntries(
    columnsOf(split).map(([name, column]) => [name, rowsOf(column, places, split.count)]),
  );
  if ('files' in split)
    return { ...split, count, ...truths, files: Array.from(places, (image) => split.files[image]!) };
  const size = split.pixels.length / split.count;
  const pixels = new Uint8Array(new SharedArrayBuffer(count * size));
  places.forEach((image, i) => {
    pixels.set(split.pixels.subarray(image * size, (image + 1) * size), i * size);
  });
  return { count, ...truths, pixels };
}
