import { Random } from '../core/random.ts';
import type { DataSet, PixelSplit } from '../data/dataset.ts';
import { type Ragged, ragged } from '../data/truth.ts';
import { pictureOfImage } from '../data/truths/picture.ts';
import { tagsOfImage } from '../data/truths/tags.ts';
import { methodNamed } from '../methods/table.ts';
import { Course, type Maps } from '../models/backbone.ts';
import { defineHead, type Head, type Outputs } from '../models/heads/head.ts';
import { defineModel } from '../models/model.ts';
import type { Network } from '../models/network.ts';
import { Stem } from '../models/stem.ts';
import { buildNetwork } from '../models/table.ts';
import { ConvUnit } from '../models/units.ts';
import { Conv2d, globalAvgPoolLayer, Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { answerTo, defineDecoder } from '../runtime/tasks/decoder.ts';
import { defineTask, type Result } from '../tasks/task.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { meanSquaredError } from '../tensor/ops/distillation.ts';
import { avgPool } from '../tensor/ops/pooling.ts';
import { floats } from '../tensor/storage.ts';
import { record } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

export const side = 8;
const shape = [side, side, 1] as const;

/** A float convolution and two binary ones; the second halves the image. */
export const tiny = defineModel({
  id: 'tiny',
  title: 'three convolutions',
  inputShape: shape,
  smallestSide: 4,
  build: (context) => {
    const { config, quantization, random } = context;
    const { structure } = context.method;
    const [height, width, inChannels] = config.inputShape;
    const course = new Course();
    const unit = { inChannels: 8, kernel: 3, pad: 1 };
    const half = [Math.ceil(height / 2), Math.ceil(width / 2)] as const;
    course.note(1, 8, [height, width]);
    course.note(2, 8, [height, width]);
    course.note(3, 16, half, 2);
    return {
      places: course.places,
      layers: () => [
        new Stem({ inChannels, outChannels: 8, kernel: 3, pad: 1, clamp: [-1, 1] }, random),
        new ConvUnit({ ...unit, outChannels: 8 }, structure, quantization, random),
        new ConvUnit({ ...unit, outChannels: 16, stride: 2 }, structure, quantization, random),
      ],
      end: (outputs) => [globalAvgPoolLayer(), new Linear(16, outputs, random)],
    };
  },
});

const networkOf = (head: unknown, classes: number, method: string): Network =>
  buildNetwork(tiny, methodNamed(method), { inputShape: shape, classes, width: 1, seed: 1, head: head as Head });

// image to image: what a noisy picture was before

export type Painted = { readonly target: Uint8Array };

interface Restored extends Result {
  readonly error: number;
  /** The image that was restored worst. */
  readonly worst: { readonly place: number; readonly error: number; readonly pixels: Uint8Array };
}

const bytes = (values: Float32Array): Uint8Array =>
  Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));

/** A picture from the largest maps, and one of half its size from those after them. */
class PainterEnd extends Module<Maps, Outputs> {
  readonly fine: Conv2d;
  readonly coarse: Conv2d;

  constructor([fine, coarse]: readonly [number, number], kernel: number, random: Random) {
    super();
    const options = { outChannels: 1, kernel, pad: kernel >> 1 };
    this.fine = new Conv2d({ ...options, inChannels: fine }, random);
    this.coarse = new Conv2d({ ...options, inChannels: coarse }, random);
  }

  override forward({ c0, c1 }: Maps): Outputs {
    return { picture: this.fine.forward(c0!), small: this.coarse.forward(c1!) };
  }
}

/** The picture as bytes. */
export const restoringDecoder = defineDecoder({
  id: 'restoring',
  decode: ({ picture }, { shape }) => ({ shape, pixels: bytes(picture!) }),
});

const painter = defineHead<Painted, Float32Array, { readonly pixels: Uint8Array }>({
  id: 'painter',
  outputs: ['picture', 'small'],
  settings: { kernel: 3 },
  build: (taps, _classes, { settings, random }) => {
    const { c0, c1 } = taps.take('c0', 'c1');
    return new PainterEnd([c0.channels, c1.channels], settings['kernel'] as number, random);
  },
  targets: ({ target }) => Float32Array.from(target, (value) => value / 255),
  loss: ({ picture, small }, target) => {
    const wanted = new Tensor(target, picture!.shape);
    const fine = meanSquaredError(picture!, wanted);
    const coarse = meanSquaredError(small!, avgPool(wanted, { window: 2 }));
    return { total: add(fine, scale(coarse, 0.5)), parts: { fine, coarse } };
  },
  decode: restoringDecoder.decode,
});

/** Mean squared error of the pixels of all images, the lower the better. */
export const restoring = defineTask<Painted, Restored>({
  id: 'restoring',
  title: 'pictures without their noise',
  truth: { target: pictureOfImage },
  heads: [painter],
  figures: [
    { name: 'error', title: 'squared error', better: 'lower', of: ({ error }) => error },
    { name: 'psnr', title: 'PSNR, dB', better: 'higher', of: ({ error }) => -10 * Math.log10(error) },
  ],
  score: (place, head) => {
    let [sum, count] = [0, 0];
    let worst: Restored['worst'] = { place: 0, error: -1, pixels: new Uint8Array() };
    return {
      add: (answers, { target, places, count: images }) => {
        for (let i = 0; i < images; i++) {
          const { pixels } = head.decode(answerTo(answers, i, images), place, {}) as { pixels: Uint8Array };
          const wanted = target.subarray(i * side ** 2, (i + 1) * side ** 2);
          const error = pixels.reduce((of, value, p) => of + ((value - wanted[p]!) / 255) ** 2, 0) / side ** 2;
          if (error > worst.error) worst = { place: places[i]!, error, pixels };
          sum += error;
        }
        count += images;
      },
      result: () => ({ error: sum / count, count, notFinite: 0, worst }),
    };
  },
  draw: ({ worst: { place, error, pixels } }) => [
    {
      place,
      alt: 'the picture that was restored worst',
      lines: [['error ', { name: error.toFixed(4) }]],
      beside: [{ title: 'restored', width: side, height: side, pixels }],
    },
  ],
});

export const painterNetwork = (method = 'bnn'): Network => networkOf(painter, 0, method);

/** Bright bars on a dark ground under noise; the target has none. */
export function noisyBars(train = 96, test = 32): DataSet<PixelSplit<Painted>> {
  const random = new Random(3);
  const split = (count: number) => {
    const target = new Uint8Array(count * side * side);
    for (let i = 0; i < count; i++) {
      const at = random.integer(side);
      for (let p = 0; p < side * side; p++)
        target[i * side * side + p] = (i % 2 ? p % side : Math.floor(p / side)) === at ? 220 : 30;
    }
    return { count, target, pixels: target.map((value) => value + random.integer(60) - 30) };
  };
  return { name: 'bars', shape, classes: [], train: split(train), test: split(test), mean: [0.2], std: [0.25] };
}

// several labels an image: which of three corners are lit

export type Tagged = { readonly tags: Ragged<Uint16Array> };

interface TagResult extends Result {
  readonly right: number;
  readonly exact: number;
  /** Of each tag: in how many images it was there, and seen. */
  readonly confusion: readonly number[];
}

/** Mean of log(1 + e^-x) over the classes of an image and log(1 + e^x) over the others: an op of one's own. */
function sigmoidCrossEntropy(logits: Tensor, wanted: Float32Array): Tensor {
  let total = 0;
  for (const [i, x] of logits.data.entries())
    total += Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0) - x * wanted[i]!;
  const backward = (g: Float32Array) => {
    const dx = floats(logits.size);
    for (let i = 0; i < dx.length; i++)
      dx[i] = (g[0]! * (1 / (1 + Math.exp(-logits.data[i]!)) - wanted[i]!)) / dx.length;
    return [dx];
  };
  const loss = new Tensor(floats(1).fill(total / logits.size), [1]);
  return record('sigmoidCrossEntropy', [logits], loss, backward);
}

const asFlags = ({ offsets, values }: Ragged<Uint16Array>, classes: number): Float32Array => {
  const flags = new Float32Array((offsets.length - 1) * classes);
  for (let i = 0; i + 1 < offsets.length; i++)
    for (const tag of values.subarray(offsets[i], offsets[i + 1])) flags[i * classes + tag] = 1;
  return flags;
};

/** Names of what is there. */
export const taggingDecoder = defineDecoder({
  id: 'tagging',
  decode: ({ scores }, { classes }) => classes.filter((_, c) => scores![c]! > 0),
});

const tagger = defineHead<Tagged, Float32Array, readonly string[]>({
  id: 'tagger',
  outputs: ['scores'],
  build: (taps, classes) => taps.vector(classes),
  targets: ({ tags }, { classes }) => asFlags(tags, classes.length),
  loss: ({ scores }, wanted) => ({ total: sigmoidCrossEntropy(scores!, wanted), parts: {} }),
  decode: taggingDecoder.decode,
});

/** How many of all yes-or-no answers are right, and in how many images all are. */
export const tagging = defineTask<Tagged, TagResult>({
  id: 'tagging',
  title: 'what is in a picture',
  truth: { tags: tagsOfImage },
  heads: [tagger],
  figures: [
    { name: 'right', title: 'right answers', better: 'higher', isShare: true, of: ({ right }) => right },
    { name: 'exact', title: 'all right', better: 'higher', isShare: true, of: ({ exact }) => exact },
  ],
  score: ({ classes }) => {
    let [right, exact, count] = [0, 0, 0];
    const confusion = classes.map(() => 0);
    return {
      add: ({ scores }, { tags, count: images }) => {
        const wanted = asFlags(tags, classes.length);
        for (let i = 0; i < images; i++) {
          const hits = classes.filter(
            (_, c) => scores![i * classes.length + c]! > 0 === (wanted[i * classes.length + c] === 1),
          );
          right += hits.length / classes.length;
          exact += Number(hits.length === classes.length);
          for (let c = 0; c < classes.length; c++)
            if (scores![i * classes.length + c]! > 0 && wanted[i * classes.length + c] === 1) confusion[c]!++;
        }
        count += images;
      },
      result: () => ({ right: right / count, exact: exact / count, confusion, count, notFinite: 0 }),
    };
  },
});

export const taggerNetwork = (method = 'bnn'): Network => networkOf(tagger, 3, method);

/** Any of a horizontal, a vertical and a diagonal line. */
export function linesData(train = 96, test = 32): DataSet<PixelSplit<Tagged>> {
  const random = new Random(4);
  const isLit = [
    (x: number, y: number, at: number) => y === at && x >= 0,
    (x: number, _: number, at: number) => x === at,
    (x: number, y: number, at: number) => (x + y) % side === at,
  ];
  const split = (count: number) => {
    const pixels = new Uint8Array(count * side * side).map(() => random.integer(40));
    const rows = Array.from({ length: count }, (_, i) => {
      const tags = [0, 1, 2].filter((tag) => (i >> tag) & 1);
      for (const tag of tags) {
        const at = random.integer(side);
        for (let p = 0; p < side * side; p++)
          if (isLit[tag]!(p % side, Math.floor(p / side), at)) pixels[i * side * side + p] = 230;
      }
      return tags;
    });
    return { count, pixels, tags: ragged(rows, Uint16Array) };
  };
  const classes = ['across', 'down', 'aslant'];
  return { name: 'lines', shape, classes, train: split(train), test: split(test), mean: [0.2], std: [0.25] };
}
