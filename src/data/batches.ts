import { DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { lookUpPixels, pixelTables } from '../exact/pixel-tables.ts';
import { type Region, randomRegion } from './crop.ts';
import type { DataSet, FileSplit, PixelSplit, Split } from './dataset.ts';
import { decodePicture, decodeReason } from './images.ts';
import { placed, type Shift, type Size, still } from './placement.ts';
import { type Column, columnsOf, type Labels, type Mover, type Truth, type Truths } from './truth.ts';
import { layoutsOf, moverAt, type RowLayout, roomFor, TruthRows } from './truth-rows.ts';
import { classTruth } from './truths/classes.ts';

/** Random changes of training images, drawn per image from the seed, the epoch and its index: a resumed run sees the same. */
export interface Augmentation {
  /** Zero-pad by this many pixels and crop at random (He et al. 2016: 4 for CIFAR). */
  readonly padCrop?: number;
  /** Mirror left-right with probability 1/2. */
  readonly flip?: boolean;
  /** Blank a square of so many pixels a side around a random pixel (DeVries and Taylor 2017). */
  readonly cutout?: number | undefined;
  /** Mix each image with another of its batch, by a share drawn from Beta(mixup, mixup) (Zhang et al. 2018). */
  readonly mixup?: number | undefined;
  /** Of image files: train on a random part scaled to the input (`randomRegion`). */
  readonly resizedCrop?: boolean;
}

/** One shuffled pass over a split, from batch `first` on. */
export interface Pass {
  readonly order: Uint32Array;
  readonly first: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
  readonly epoch: number;
}

/** What `mixup` made of a batch: image i is `shares[i]` of its own and the rest of image `partners[i]` of the batch. */
export interface Mixture {
  readonly partners: Uint32Array;
  readonly shares: Float32Array;
}

/** Images as a network sees them, and what is known of them under the names of their split: `labels`, `boxes` ... */
export type Batch<T = Labels> = BatchedImages & T;

interface BatchedImages {
  /** Normalised pixels [count,H,W,C]. */
  readonly images: Float32Array;
  /** Where in the split each image lies. */
  readonly places: Uint32Array;
  readonly mixture?: Mixture;
  /** Fewer than were asked for when files of them cannot be decoded; then even 0. */
  readonly count: number;
}

/** What turning bytes into network inputs needs of a data set. */
export type Normalised = Pick<DataSet, 'shape' | 'mean' | 'std' | 'resize'>;

/** Where a batch is written; long enough for a whole one. */
export interface BatchStorage {
  readonly images: Float32Array;
  readonly places: Uint32Array;
  readonly shares: Float32Array;
  readonly truths: { readonly [name: string]: Column };
}

/** The order of so many images in an epoch: of seed and epoch alone. */
export const epochOrder = (seed: number, epoch: number, count: number): Uint32Array =>
  new Random(seed).fork(epoch).permutation(count);

/** Turns bytes of a data set into normalised, augmented batches. */
export class Batches<T extends Truths = Labels> {
  private readonly data: Normalised;
  private readonly split: Split<object>;
  private readonly batch: number;
  private readonly tables: Float32Array[];
  /** An image of which nothing is seen. */
  private readonly black: Float32Array;
  private readonly layouts: readonly RowLayout[];
  private readonly columns: ReadonlyMap<string, Column>;
  private movers: Promise<readonly (Mover | undefined)[]> | undefined;

  /** @param truth what of the split goes into batches; a thread is sent its layouts */
  constructor(
    data: Normalised,
    split: Split<object>,
    batch: number,
    truth: Truth<T> | readonly RowLayout[] = classTruth as unknown as Truth<T>,
  ) {
    this.data = data;
    this.split = split;
    this.batch = batch;
    this.tables = pixelTables(data.mean, data.std);
    this.black = lookUpPixels(new Uint8Array(sizeOf(data.shape)), this.tables);
    this.layouts = Array.isArray(truth) ? truth : layoutsOf(truth as Truth, split, data.shape);
    this.columns = new Map(columnsOf(split));
  }

  /** [H,W,C] of an image. */
  get shape(): DataSet['shape'] {
    return this.data.shape;
  }

  /** Batches per epoch; a last partial batch counts. */
  get length(): number {
    return Math.ceil(this.split.count / this.batch);
  }

  /** The order of the images in an epoch. */
  order(seed: number, epoch: number): Uint32Array {
    return epochOrder(seed, epoch, this.split.count);
  }

  /** Batch number `index` of an unshuffled pass. */
  plain(index: number): Promise<Batch<T>> {
    const first = index * this.batch;
    const count = Math.min(this.batch, this.split.count - first);
    return this.assemble(
      Uint32Array.from({ length: count }, (_, i) => first + i),
      {},
      null,
    );
  }

  /**
   * Batch number `index` of a shuffled, augmented pass.
   *
   * @throws DataError when an image file cannot be decoded
   */
  shuffled({ order, augmentation, seed, epoch }: Pass, index: number, into?: BatchStorage): Promise<Batch<T>> {
    const chosen = order.subarray(index * this.batch, Math.min((index + 1) * this.batch, order.length));
    return this.assemble(chosen, augmentation, new Random(seed).fork(epoch), into);
  }

  private async assemble(
    chosen: Uint32Array,
    augmentation: Augmentation,
    epochRandom: Random | null,
    into?: BatchStorage,
  ): Promise<Batch<T>> {
    const { split } = this;
    const [height, width, channels] = this.data.shape;
    const size = height * width * channels;
    const images = into?.images ?? new Float32Array(chosen.length * size);
    const places = into?.places ?? new Uint32Array(chosen.length);
    this.movers ??= Promise.all(this.layouts.map(({ mover }) => mover && moverAt(mover)));
    const movers = await this.movers;
    const truths = this.layouts.map((layout, t) => {
      const source = this.columns.get(layout.name)!;
      const room = into?.truths[layout.name] ?? roomFor(layout, source, chosen.length);
      return new TruthRows(layout, source, split.count, chosen.length, room, movers[t]);
    });
    const place = async (image: number, i: number): Promise<boolean> => {
      places[i] = image;
      const random = epochRandom?.fork(image + 1) ?? null;
      const source =
        'files' in split ? await this.decode(split, image, augmentation, random) : this.stored(split, image);
      if (!source) return false;
      const shift = shiftOf(augmentation, random);
      this.copy(source.pixels, images.subarray(i * size, (i + 1) * size), shift, random ? augmentation : {}, random);
      const placement = placed(source.picture, source.region, { width, height }, shift);
      for (const rows of truths) rows.place(image, i, placement);
      return true;
    };
    const isThere = await Promise.all(Array.from(chosen, place));
    const kept = isThere.flatMap((there, i) => (there ? [i] : []));
    const count = kept.length;
    if (count < chosen.length)
      kept.forEach((from, to) => {
        images.copyWithin(to * size, from * size, (from + 1) * size);
        places[to] = places[from]!;
      });
    const batch = {
      images: images.subarray(0, count * size),
      places: places.subarray(0, count),
      count,
      ...Object.fromEntries(this.layouts.map(({ name }, t) => [name, truths[t]!.close(kept)])),
    };
    const { mixup } = augmentation;
    if (!mixup || !epochRandom) return batch as Batch<T> & typeof batch;
    // a stream of its own: the image's first numbers place its crop
    const shareOf = (image: number) =>
      epochRandom
        .fork(image + 1)
        .fork(1)
        .beta(mixup, mixup);
    return { ...batch, mixture: mix(batch, size, shareOf, into?.shares) } as Batch<T> & typeof batch;
  }

  /** An image that is as large as the input. */
  private stored({ pixels }: PixelSplit<object>, image: number): Source {
    const [height, width, channels] = this.data.shape;
    const size = height * width * channels;
    const picture = { width, height };
    return {
      pixels: pixels.subarray(image * size, (image + 1) * size),
      picture,
      region: { left: 0, top: 0, ...picture },
    };
  }

  /** @returns null for a broken file, once it is noted */
  private async decode(
    { files, broken }: FileSplit<object>,
    image: number,
    augmentation: Augmentation,
    random: Random | null,
  ): Promise<Source | null> {
    const file = files[image]!;
    const region =
      augmentation.resizedCrop && random ? (w: number, h: number) => randomRegion(w, h, random) : undefined;
    try {
      return await decodePicture(
        file,
        this.data.shape,
        region,
        this.layouts.some(({ mover }) => mover),
        this.data.resize,
      );
    } catch (error) {
      const reason = decodeReason(error);
      if (!broken) throw new DataError(`cannot decode image ${file}: ${reason}`);
      broken.add(file, reason);
      return null;
    }
  }

  /** Normalised, shifted, black outside, mirrored, and in part blanked where that is asked for. */
  private copy(
    from: Uint8Array,
    to: Float32Array,
    { dx, dy, mirrored }: Shift,
    { cutout = 0 }: Augmentation,
    random: Random | null,
  ): void {
    const [height, width, channels] = this.data.shape;
    // columns of the picture that are seen, and where the first of them lies
    const [left, right] = [Math.max(0, dx), Math.min(width, width + dx)];
    const first = mirrored ? width - 1 + dx - left : left - dx;
    const step = mirrored ? -channels : channels;
    if (dx !== 0 || dy !== 0) to.set(this.black);
    for (let c = 0; c < channels; c++) {
      const table = this.tables[c]!;
      for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
        let at = ((y - dy) * width + first) * channels + c;
        const end = (y * width + right) * channels;
        for (let pixel = (y * width + left) * channels + c; pixel < end; pixel += channels, at += step)
          to[at] = table[from[pixel]!]!;
      }
    }
    if (random && cutout > 0) this.blank(to, cutout, random);
  }

  /** A square of zeros, which are the data set's mean; part of it may lie outside. */
  private blank(image: Float32Array, side: number, random: Random): void {
    const [height, width, channels] = this.data.shape;
    const [top, left] = [random.integer(height) - (side >> 1), random.integer(width) - (side >> 1)];
    const from = Math.max(0, left) * channels;
    const end = Math.min(width, left + side) * channels;
    for (let y = Math.max(0, top); y < Math.min(height, top + side); y++)
      image.fill(0, y * width * channels + from, y * width * channels + end);
  }
}

/** Pixels as large as the input, and which part of which picture they show. */
interface Source {
  readonly pixels: Uint8Array;
  readonly picture: Size;
  readonly region: Region;
}

/** Drawn anew for each image; nothing where nothing is random. */
function shiftOf({ padCrop: pad = 0, flip }: Augmentation, random: Random | null): Shift {
  if (!random) return still;
  const dy = pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
  const dx = pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
  return { dx, dy, mirrored: flip === true && random.uniform() < 0.5 };
}

/** The first image goes with the last, the second with the last but one...: their order is random as it is. */
export const partnersOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => count - 1 - i);

/** Mixes images with their partners, in place. */
function mix(
  { images, places, count }: BatchedImages,
  size: number,
  shareOf: (image: number) => number,
  into: Float32Array | undefined,
): Mixture {
  const mixture = { partners: partnersOf(count), shares: (into ?? new Float32Array(count)).subarray(0, count) };
  for (let i = 0; i < count; i++) mixture.shares[i] = shareOf(places[i]!);
  for (let i = 0, j = count - 1; i < j; i++, j--) {
    const [ours, theirs] = [images.subarray(i * size, (i + 1) * size), images.subarray(j * size, (j + 1) * size)];
    const [share, other] = [mixture.shares[i]!, mixture.shares[j]!];
    for (let p = 0; p < size; p++) {
      const [a, b] = [ours[p]!, theirs[p]!];
      ours[p] = share * a + (1 - share) * b;
      theirs[p] = other * b + (1 - other) * a;
    }
  }
  return mixture;
}
