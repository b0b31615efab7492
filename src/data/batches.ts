import { Random } from '../core/random.ts';
import { pixelTables } from '../exact/pixel-tables.ts';
import { randomRegion } from './crop.ts';
import type { DataSet, FileSplit, Split } from './dataset.ts';
import { decodeImage, decodePixels, decodeReason } from './images.ts';

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

/** What `mixup` made of a batch: image i is `shares[i]` of its own and the rest of one with label `labels[i]`. */
export interface Mixture {
  readonly labels: Uint16Array;
  readonly shares: Float32Array;
}

export interface Batch {
  /** Normalised pixels [count,H,W,C]. */
  readonly images: Float32Array;
  readonly labels: Uint16Array;
  /** Where in the split each image lies. */
  readonly places: Uint32Array;
  readonly mixture?: Mixture;
  /** Fewer than were asked for when files of them cannot be decoded; then even 0. */
  readonly count: number;
}

/** What turning bytes into network inputs needs of a data set. */
export type Normalised = Pick<DataSet, 'shape' | 'mean' | 'std'>;

/** Where a batch is written; long enough for a whole one. */
export interface BatchStorage {
  readonly images: Float32Array;
  readonly labels: Uint16Array;
  readonly places: Uint32Array;
  readonly mixture?: Mixture;
}

/** Turns bytes of a data set into normalised, augmented batches. */
export class Batches {
  private readonly data: Normalised;
  private readonly split: Split;
  private readonly batch: number;
  private readonly tables: Float32Array[];

  constructor(data: Normalised, split: Split, batch: number) {
    this.data = data;
    this.split = split;
    this.batch = batch;
    this.tables = pixelTables(data.mean, data.std);
  }

  /** Batches per epoch; a last partial batch counts. */
  get length(): number {
    return Math.ceil(this.split.count / this.batch);
  }

  /** The order of the images in an epoch. */
  order(seed: number, epoch: number): Uint32Array {
    return new Random(seed).fork(epoch).permutation(this.split.count);
  }

  /** Batch number `index` of an unshuffled pass. */
  plain(index: number): Promise<Batch> {
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
  shuffled({ order, augmentation, seed, epoch }: Pass, index: number, into?: BatchStorage): Promise<Batch> {
    const chosen = order.subarray(index * this.batch, Math.min((index + 1) * this.batch, order.length));
    return this.assemble(chosen, augmentation, new Random(seed).fork(epoch), into);
  }

  private async assemble(
    chosen: Uint32Array,
    augmentation: Augmentation,
    epochRandom: Random | null,
    into?: BatchStorage,
  ): Promise<Batch> {
    const [height, width, channels] = this.data.shape;
    const size = height * width * channels;
    const images = into?.images ?? new Float32Array(chosen.length * size);
    const labels = into?.labels ?? new Uint16Array(chosen.length);
    const places = into?.places ?? new Uint32Array(chosen.length);
    const place = (image: number, i: number): true | Promise<boolean> => {
      labels[i] = this.split.labels[image]!;
      places[i] = image;
      const random = epochRandom?.fork(image + 1) ?? null;
      const to = images.subarray(i * size, (i + 1) * size);
      if ('files' in this.split) return this.decode(this.split, image, to, augmentation, random);
      this.copy(this.split.pixels.subarray(image * size, (image + 1) * size), to, augmentation, random);
      return true;
    };
    const pending = Array.from(chosen, place);
    const isThere = 'files' in this.split ? await Promise.all(pending) : [];
    const kept = isThere.flatMap((there, i) => (there ? [i] : []));
    const count = 'files' in this.split ? kept.length : chosen.length;
    if (count < chosen.length)
      kept.forEach((from, to) => {
        images.copyWithin(to * size, from * size, (from + 1) * size);
        labels[to] = labels[from]!;
        places[to] = places[from]!;
      });
    const batch = {
      images: images.subarray(0, count * size),
      labels: labels.subarray(0, count),
      places: places.subarray(0, count),
      count,
    };
    const { mixup } = augmentation;
    if (!mixup || !epochRandom) return batch;
    // a stream of its own: the image's first numbers place its crop
    const shareOf = (image: number) =>
      epochRandom
        .fork(image + 1)
        .fork(1)
        .beta(mixup, mixup);
    return { ...batch, mixture: mix(batch, size, shareOf, into?.mixture) };
  }

  /** @returns false for a broken file, once it is noted */
  private async decode(
    { files, broken }: FileSplit,
    image: number,
    to: Float32Array,
    augmentation: Augmentation,
    random: Random | null,
  ): Promise<boolean> {
    const file = files[image]!;
    const region =
      augmentation.resizedCrop && random ? (w: number, h: number) => randomRegion(w, h, random) : undefined;
    if (!broken) {
      this.copy(await decodeImage(file, file, this.data.shape, region), to, augmentation, random);
      return true;
    }
    let pixels: Uint8Array;
    try {
      pixels = await decodePixels(file, this.data.shape, region);
    } catch (error) {
      broken.add(file, decodeReason(error));
      return false;
    }
    this.copy(pixels, to, augmentation, random);
    return true;
  }

  /** Normalised; if `random` is given, shifted, black outside, and mirrored by chance. */
  private copy(
    from: Uint8Array,
    to: Float32Array,
    { padCrop: pad = 0, flip, cutout = 0 }: Augmentation,
    random: Random | null,
  ): void {
    const dy = random && pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
    const dx = random && pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
    const mirror = random !== null && flip === true && random.uniform() < 0.5;
    const [height, width, channels] = this.data.shape;
    let at = 0;
    for (let y = 0; y < height; y++) {
      const sourceY = y + dy;
      for (let x = 0; x < width; x++) {
        const sourceX = (mirror ? width - 1 - x : x) + dx;
        const inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
        const pixel = (sourceY * width + sourceX) * channels;
        for (let c = 0; c < channels; c++) to[at++] = this.tables[c]![inside ? from[pixel + c]! : 0]!;
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

/** Mixes the first image with the last, the second with the last but one... in place: their order is random as it is. */
function mix(
  { images, labels, places, count }: Batch,
  size: number,
  shareOf: (image: number) => number,
  into: Mixture | undefined,
): Mixture {
  const mixture = {
    labels: (into?.labels ?? new Uint16Array(count)).subarray(0, count),
    shares: (into?.shares ?? new Float32Array(count)).subarray(0, count),
  };
  for (let i = 0; i < count; i++) {
    mixture.labels[i] = labels[count - 1 - i]!;
    mixture.shares[i] = shareOf(places[i]!);
  }
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
