import { UsageError } from '../core/errors.ts';
import { type Augmentation, Batches, epochOrder } from '../data/batches.ts';
import { type DataSet, imagesOf, type Split, sampleOf } from '../data/dataset.ts';
import { type Loader, openLoader } from '../data/loader.ts';
import { checkTruth, type Truth, type Truths } from '../data/truth.ts';
import type { TrainConfig } from './config.ts';
import { holdBack } from './validation.ts';

/** Only these fields cross to the loader's thread. */
const augmentationOf = ({ padCrop = 0, flip = false, resizedCrop, cutout, mixup }: TrainConfig): Augmentation => ({
  padCrop,
  flip,
  resizedCrop,
  cutout,
  mixup,
});

/** Images that a network is judged on, at once. */
const judgedAtOnce = 256;

/** The images of a run: which it learns from, in which order, and which it is judged on. */
export class TrainingImages {
  readonly data: DataSet<Split<object>>;
  readonly test: Batches<Truths>;
  /** Held back from training; null where the run holds none. */
  readonly validation: Batches<Truths> | null;
  private readonly config: TrainConfig;
  private readonly truth: Truth;
  private readonly train: Split<object>;
  /** Places in the training split that are learned from. */
  private readonly kept: Uint32Array;

  /**
   * @param truth what must be known of the images
   * @throws UsageError for more images held back than there are, and for crops of images that come decoded; DataError where what should be known
   * of them is missing or cannot be
   */
  constructor(config: TrainConfig, data: DataSet<Split<object>>, truth: Truth) {
    if (config.resizedCrop && !('files' in data.train))
      throw new UsageError(
        `--resized-crop needs a folder of image files; ${data.name} comes decoded at ${data.shape[0]}x${data.shape[1]}: use --pad-crop`,
      );
    for (const part of ['train', 'test'] as const) {
      const { [part]: split, name, shape, classes } = data;
      checkTruth(truth, split, {
        name: `${name}, ${part}`,
        count: split.count,
        shape,
        classes,
        ofFiles: 'files' in split,
      });
    }
    this.config = config;
    this.data = data;
    this.truth = truth;
    const limit = config.limit ?? Number.POSITIVE_INFINITY;
    this.train = sampleOf(data.train, limit);
    const { kept, held } = holdBack(this.train.count, config.validation ?? 0, config.seed);
    this.kept = kept;
    this.validation = held.length > 0 ? new Batches(data, imagesOf(this.train, held), judgedAtOnce, truth) : null;
    this.test = new Batches(data, sampleOf(data.test, limit), judgedAtOnce, truth);
  }

  /** Steps per epoch. */
  get length(): number {
    return Math.ceil(this.kept.length / this.config.batch);
  }

  /** Assembles batches for training. */
  open(): Loader<Truths> {
    return openLoader(this.data, this.train, this.config.batch, this.truth);
  }

  /** What a loader is told of an epoch, to begin it with a batch other than its first one too. */
  epochFrom(epoch: number, first: number): Parameters<Loader['begin']>[0] {
    const { seed } = this.config;
    return { order: this.orderOf(epoch), first, augmentation: augmentationOf(this.config), seed, epoch };
  }

  /** Batches of training images as they are, `count` of them drawn by the seed; a last one that is not whole is left out. */
  async *plain(count: number): AsyncGenerator<{ images: Float32Array; count: number }> {
    const { batch, epochs } = this.config;
    const places = this.orderOf(epochs).subarray(0, count);
    const size = Math.min(batch, places.length);
    const chosen = new Batches(this.data, imagesOf(this.train, places), size, this.truth);
    // a small last batch would count as much as a whole one
    for (let i = 0; i < Math.floor(places.length / size); i++) yield await chosen.plain(i);
  }

  /** The order of the images in an epoch, those held back left out. */
  private orderOf(epoch: number): Uint32Array {
    const { kept } = this;
    return epochOrder(this.config.seed, epoch, kept.length).map((place) => kept[place]!);
  }
}
