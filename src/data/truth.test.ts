import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import type { ResizeRule } from '../runtime/graph.ts';
import { type Augmentation, type Batch, Batches, type Pass } from './batches.ts';
import { imagesOf } from './dataset.ts';
import { digestOf } from './digest.ts';
import { fitToModel } from './fit-model.ts';
import { BackgroundLoader } from './loader.ts';
import { checkTruth, type Ragged, ragged, type Truth } from './truth.ts';
import { boxesOfImage } from './truths/boxes.ts';
import { maskOfImage, unknownClass } from './truths/mask.ts';
import { pictureOfImage } from './truths/picture.ts';
import { tagsOfImage } from './truths/tags.ts';

/** One bright rectangle an image, known as a box, as a mask, as the image itself and as a tag that some images have twice. */
type Known = {
  readonly boxes: Ragged<Float32Array>;
  readonly mask: Uint8Array;
  readonly target: Uint8Array;
  readonly tags: Ragged<Uint16Array>;
};
const truth: Truth<Known> = {
  boxes: boxesOfImage,
  mask: maskOfImage,
  target: pictureOfImage,
  tags: tagsOfImage,
};
const [height, width] = [12, 16];
const shape = [height, width, 1] as const;
const random = new Random(9);
const images = 21;

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
function drawn(wide: number, high: number): { pixels: Uint8Array; mask: Uint8Array; at: Rectangle } {
  const [left, top] = [random.integer(wide >> 1), random.integer(high >> 1)];
  const at = { left, top, right: left + 3 + random.integer(wide >> 2), bottom: top + 3 + random.integer(high >> 2) };
  const inside = (i: number) => {
    const [y, x] = [Math.floor(i / wide), i % wide];
    return x >= at.left && x < at.right && y >= at.top && y < at.bottom;
  };
  const of = (value: number) => new Uint8Array(wide * high).map((_, i) => (inside(i) ? value : 0));
  return { pixels: of(255), mask: of(1), at };
}
const boxOf = ({ left, top, right, bottom }: Rectangle) => [1, left, top, right, bottom];
const joined = (rows: Uint8Array[]) => Uint8Array.from(rows.flatMap((row) => [...row]));

const pictures = Array.from({ length: images }, () => drawn(width, height));
const split = {
  count: images,
  pixels: joined(pictures.map(({ pixels }) => pixels)),
  boxes: ragged(
    pictures.map(({ at }, i) => (i % 5 === 0 ? [] : boxOf(at))),
    Float32Array,
  ),
  mask: joined(pictures.map(({ mask }) => mask)),
  target: joined(pictures.map(({ pixels }) => pixels)),
  tags: ragged(
    pictures.map((_, i) => [0, 1, 2].slice(0, i % 4)),
    Uint16Array,
  ),
};
const data = {
  name: 'drawn',
  shape,
  classes: ['ground', 'plate', 'cup'],
  mean: [0],
  std: [1],
  train: split,
  test: split,
};
const place = { name: 'drawn', count: images, shape, classes: data.classes, ofFiles: false };
const batches = new Batches(data, split, 4, truth);
const augmentation: Augmentation = { padCrop: 3, flip: true, cutout: 2 };
const passOf = (epoch: number): Pass => ({ order: batches.order(5, epoch), first: 0, augmentation, seed: 5, epoch });

let loader: BackgroundLoader<Known> | undefined;
afterEach(() => loader?.close());
const directory = mkdtempSync(join(tmpdir(), 'signum-truth-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The smallest box around the ones of a mask. */
function around(mask: Uint8Array, wide: number): Rectangle {
  const ones = [...mask.keys()].filter((i) => mask[i] === 1);
  const [xs, ys] = [ones.map((i) => i % wide), ones.map((i) => Math.floor(i / wide))];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs) + 1, bottom: Math.max(...ys) + 1 };
}
const rowOf = ({ boxes }: Pick<Batch<Known>, 'boxes'>, i: number) => [
  ...boxes.values.subarray(boxes.offsets[i], boxes.offsets[i + 1]),
];

test('one placement moves pixels, target image, mask and boxes alike', async () => {
  let [moved, lost, compared, shifted] = [0, 0, 0, 0];
  for (const epoch of [0, 1, 2, 3])
    for (let b = 0; b < batches.length; b++) {
      const pass = { ...passOf(epoch), augmentation: { padCrop: 3, flip: true } };
      const batch = await batches.shuffled(pass, b);
      for (let i = 0; i < batch.count; i++) {
        const [from, to] = [i * height * width, (i + 1) * height * width];
        const [pixels, target, mask] = [
          batch.images.slice(from, to),
          batch.target.slice(from, to),
          batch.mask.slice(from, to),
        ];
        expect(Float32Array.from(target, (value) => value / 255)).toEqual(pixels);
        expect(mask.map((value) => Number(value === 1))).toEqual(Uint8Array.from(pixels));
        const image = batch.places[i]!;
        if (image % 5 === 0) expect(rowOf(batch, i)).toEqual([]);
        else if (rowOf(batch, i).length === 0) lost++;
        else {
          const { left, top, right, bottom } = around(mask, width);
          expect(rowOf(batch, i)).toEqual([1, left, top, right, bottom]);
          if (JSON.stringify(boxOf(pictures[image]!.at)) !== JSON.stringify(rowOf(batch, i))) moved++;
          compared++;
        }
        shifted += Number(mask.includes(unknownClass));
        const tags = [...batch.tags.values.subarray(batch.tags.offsets[i], batch.tags.offsets[i + 1])];
        expect(tags).toEqual([0, 1, 2].slice(0, image % 4));
      }
    }
  expect([moved > compared / 2, lost < compared / 4, compared > 40, shifted > 60]).toEqual([true, true, true, true]);
});

test('the thread gives the same bits as the batches made in place, of every truth, the short last batch too', async () => {
  loader = new BackgroundLoader(data, split, 4, truth);
  for (const epoch of [0, 1]) {
    loader.begin(passOf(epoch));
    for (let b = 0; b < batches.length; b++)
      expect(await loader.next()).toEqual(await batches.shuffled(passOf(epoch), b));
  }
});

/** Pictures of several sizes, as files. */
async function pictureFiles(count: number) {
  const sizes = Array.from({ length: count }, (_, i) => ({ wide: 60 + 10 * (i % 5), high: 50 + 15 * (i % 3) }));
  const painted = sizes.map(({ wide, high }) => drawn(wide, high));
  const files = await Promise.all(
    painted.map(async ({ pixels }, i) => {
      const { wide, high } = sizes[i]!;
      const file = join(directory, `${i}.png`);
      await sharp(pixels, { raw: { width: wide, height: high, channels: 1 } })
        .png()
        .toFile(file);
      return file;
    }),
  );
  return {
    count,
    files,
    boxes: ragged(
      painted.map(({ at }) => boxOf(at)),
      Float32Array,
    ),
    mask: ragged(
      painted.map(({ mask }) => mask),
      Uint8Array,
    ),
  };
}
type OfFiles = { readonly boxes: Ragged<Float32Array>; readonly mask: Uint8Array };
const fileTruth: Truth<OfFiles> = { boxes: boxesOfImage, mask: maskOfImage };

test('of image files, random parts and those cut in the middle: truths lie where the pixels do, and a broken one leaves no gap', async () => {
  const files = await pictureFiles(12);
  const side = 32;
  const ofFiles = { shape: [side, side, 1] as const, mean: [0], std: [1] };
  const broken: string[] = [];
  const torn = { ...files, broken: { add: (name: string) => void broken.push(name) } };
  writeFileSync(files.files[5]!, 'no picture');
  const made = new Batches<OfFiles>(ofFiles, torn, 12, fileTruth);
  const pass = (epoch: number): Pass => ({
    order: made.order(1, epoch),
    first: 0,
    augmentation: { resizedCrop: true, flip: true, padCrop: 2 },
    seed: 1,
    epoch,
  });
  let compared = 0;
  for (const epoch of [null, 0, 1, 2]) {
    const batch = epoch === null ? await made.plain(0) : await made.shuffled(pass(epoch), 0);
    expect(batch.count).toBe(11);
    expect([...batch.places].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    for (let i = 0; i < batch.count; i++) {
      const pixels = batch.images.subarray(i * side * side, (i + 1) * side * side);
      const mask = batch.mask.subarray(i * side * side, (i + 1) * side * side);
      const wrong = pixels.filter((value, p) => value > 0.5 !== (mask[p] === 1)).length;
      // one row of pixels along two edges at most is rounded otherwise
      expect(wrong).toBeLessThanOrEqual(2 * side);
      const [, ...box] = rowOf(batch, i);
      if (box.length === 0 || !mask.includes(1)) continue;
      const { left, top, right, bottom } = around(mask, side);
      for (const [k, edge] of [left, top, right, bottom].entries())
        expect(Math.abs(box[k]! - edge)).toBeLessThanOrEqual(1);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(25);
  expect(broken).toContain(files.files[5]);
  loader = new BackgroundLoader(ofFiles, torn, 12, fileTruth) as unknown as BackgroundLoader<Known>;
  loader.begin(pass(1));
  expect(await loader.next()).toEqual(await made.shuffled(pass(1), 0));
});

test.each(['cover', 'contain', 'fill'] as const)(
  'of image files brought to the size by %s, truths lie where the pixels do',
  async (fit) => {
    const [wide, high] = [40, 20];
    // left black, right white; the mask says which, the box is around the white
    const pixels = new Uint8Array(wide * high).map((_, i) => (i % wide < 16 ? 0 : 255));
    const file = join(directory, `halves-${fit}.png`);
    await sharp(pixels, { raw: { width: wide, height: high, channels: 1 } })
      .png()
      .toFile(file);
    const halves = {
      count: 1,
      files: [file],
      mask: ragged([[...pixels].map((value) => Number(value > 0))], Uint8Array),
      boxes: ragged([[1, 16, 0, 40, 20]], Float32Array),
    };
    const resize = { fit, filter: 'nearest', background: [0, 0, 0] } satisfies ResizeRule;
    const seen = { shape: [20, 20, 1] as const, mean: [0], std: [1], resize };
    const own = { mask: maskOfImage, boxes: boxesOfImage };
    const { images, mask, boxes } = (await new Batches(seen, halves, 1, own as never).plain(0)) as unknown as {
      images: Float32Array;
      mask: Uint8Array;
      boxes: { values: Float32Array };
    };
    const white = [...mask.keys()].filter((i) => mask[i] === 1);
    expect(white.length).toBeGreaterThan(40);
    for (const [i, kind] of mask.entries()) expect([i, images[i]]).toEqual([i, kind === 1 ? 1 : 0]);
    expect([...boxes.values]).toEqual([1, ...Object.values(around(mask, 20))]);
  },
);

test('samples, digests and the classes of a model carry all that is known of an image', () => {
  const some = imagesOf(split, Uint32Array.of(7, 2));
  expect([...some.boxes.values]).toEqual([...boxOf(pictures[7]!.at), ...boxOf(pictures[2]!.at)]);
  expect([...some.tags.offsets]).toEqual([0, 3, 5]);
  const other = { ...split, tags: { ...split.tags, values: split.tags.values.map((tag) => 2 - tag) } };
  expect(digestOf({ ...data, train: other })).not.toBe(digestOf(data));
  const model = { shape, classes: ['cup', 'ground', 'plate'], mean: [0], std: [1] };
  const fitted = fitToModel(data, model, 'train', truth).data.train;
  expect([...fitted.tags.values]).toEqual([...split.tags.values].map((tag) => [1, 2, 0][tag]));
  expect(fitted.boxes.values[0]).toBe(2);
  expect(fitted.boxes.values.subarray(1, 5)).toEqual(split.boxes.values.subarray(1, 5));
});

test.each([
  ['a missing column', { ...split, boxes: undefined }, /no "boxes" \(boxes\); they have mask, target, tags/],
  [
    'too few offsets',
    { ...split, tags: { ...split.tags, offsets: split.tags.offsets.subarray(1) } },
    /"tags" has 21 offsets/,
  ],
  [
    'a box that ends before it begins',
    { ...split, boxes: ragged([[1, 5, 5, 4, 6], ...Array(images - 1).fill([])], Float32Array) },
    /box 0 is \[1, 5, 5, 4, 6\]; expected a class below 3, left < right/,
  ],
  [
    'half a box',
    { ...split, boxes: ragged([[1, 5, 5], ...Array(images - 1).fill([])], Float32Array) },
    /image 0 are not of five values/,
  ],
  [
    'a class that is not there',
    { ...split, tags: { ...split.tags, values: split.tags.values.map(() => 3) } },
    /tagged 3, but there are only 3 classes/,
  ],
  ['a mask of another class', { ...split, mask: split.mask.map(() => 3) }, /a mask holds 3/],
  [
    'half a target image',
    { ...split, target: split.target.subarray(0, images * 7) },
    /target images have 147 bytes; expected a multiple of 21 images of 12x16/,
  ],
])('%s is an error before the first step', (_, wrong, message) => {
  expect(() => checkTruth(truth, wrong, place)).toThrow(message);
});

test('a mover that its module does not export, and a name that batches use themselves, are errors', async () => {
  const lost = { boxes: { ...boxesOfImage, mover: { module: import.meta.url, name: 'nobody' } } };
  await expect(new Batches(data, split, 4, lost).plain(0)).rejects.toThrow(/moved by "nobody" of .*truth\.test\.ts/);
  expect(() => checkTruth({ images: boxesOfImage }, split, place)).toThrow(/cannot be called "images"/);
  checkTruth(truth, split, place);
});
