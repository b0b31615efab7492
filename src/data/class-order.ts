import { type DataSet, imagesOf, type PixelSplit, type Split } from './dataset.ts';

/**
 * Names by the numbers in them: `9.png` before `10.png`. Whatever is no number goes by its code units, whatever the system's language.
 *
 * @returns below 0 when `a` comes first
 */
export function compareNames(a: string, b: string): number {
  const [left, right] = [a.split(/(\d+)/), b.split(/(\d+)/)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!];
    // pieces at odd places are digits
    const difference = i % 2 === 1 ? Number(x) - Number(y) : 0;
    if (difference !== 0) return difference;
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

/** Places of the images by class, then by name; undefined when they lie so already. Without names those of a class stay as they are. */
function placesByClass({ count, labels }: PixelSplit, names?: readonly string[]): Uint32Array | undefined {
  const compare = (a: number, b: number) =>
    labels[a]! - labels[b]! || (names ? compareNames(names[a]!, names[b]!) : 0) || a - b;
  const places = new Uint32Array(count).map((_, i) => i);
  const isSorted = places.every((place, i) => i === 0 || compare(place - 1, place) < 0);
  return isSorted ? undefined : places.sort(compare);
}

function inverseOf(places: Uint32Array): Uint32Array {
  const inverse = new Uint32Array(places.length);
  places.forEach((place, i) => {
    inverse[place] = i;
  });
  return inverse;
}

/**
 * A set that people have as files of many kinds, in the one order that all of them can tell: by class, then by the place within the class.
 * A seed then draws the same images from each.
 *
 * @param names of the images' files, which tell the places within a class; without them the images come in the order of these places
 */
export function inClassOrder<D extends Pick<DataSet<PixelSplit>, 'train' | 'test'>>(
  data: D,
  names: { readonly train?: readonly string[]; readonly test?: readonly string[] } = {},
): D & Pick<DataSet, 'order' | 'sourceOrder'> {
  const [train, test] = [placesByClass(data.train, names.train), placesByClass(data.test, names.test)];
  return {
    ...data,
    order: 'class',
    train: train ? imagesOf(data.train, train) : data.train,
    test: test ? imagesOf(data.test, test) : data.test,
    sourceOrder: { ...(train ? { train: inverseOf(train) } : {}), ...(test ? { test: inverseOf(test) } : {}) },
  };
}

/** The images as the files had them, which is how version 0.1 saw them: its runs continue on the order that they began with. */
export function inSourceOrder<D extends DataSet<Split<object>>>(data: D): D {
  const { order: _, sourceOrder: { train, test } = {}, ...rest } = data;
  return {
    ...rest,
    train: train ? imagesOf(data.train, train) : data.train,
    test: test ? imagesOf(data.test, test) : data.test,
  } as D;
}
