import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DataError, ShapeError, UsageError } from '../core/errors.ts';
import { flattened, type Rgba } from '../core/pixels.ts';
import { Random } from '../core/random.ts';
import { decodePixels } from '../data/images.ts';
import { type ImageReading, type Images, readImages } from './images.ts';

const shape = [6, 8, 3] as const;
const resize = { fit: 'cover', filter: 'lanczos3', background: [0, 0, 0] } as const;
const reading: ImageReading = { shape, resize, decode: undefined, signal: undefined };
const read = (images: Images, changes: Partial<ImageReading> = {}) => readImages(images, { ...reading, ...changes });

const random = new Random(7);
const rgba = (width: number, height: number): Rgba => ({
  data: Uint8ClampedArray.from({ length: 4 * width * height }, () => random.integer(256)),
  width,
  height,
});
const raw = ({ data, width, height }: Rgba) => sharp(new Uint8Array(data), { raw: { width, height, channels: 4 } });

let folder = '';
let file = '';
/** A photograph turned by its EXIF, with transparent pixels, of another aspect ratio. */
const photo = rgba(23, 40);
let bytes: Uint8Array;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signum-images-'));
  file = join(folder, 'a photo%.webp');
  bytes = await raw(photo).withMetadata({ orientation: 6 }).webp({ lossless: true }).toBuffer();
  writeFileSync(file, bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a picture file becomes the bits that training decodes, from its path, address, bytes, Blob or Response', async () => {
  for (const [h, w, c] of [
    [6, 8, 3],
    [9, 5, 1],
  ] as const) {
    const expected = await decodePixels(file, [h, w, c]);
    const upright = await sharp(bytes).rotate().toBuffer({ resolveWithObject: true });
    expect(upright.info).toMatchObject({ width: 40, height: 23 });
    const files = [
      file,
      pathToFileURL(file),
      pathToFileURL(file).href,
      bytes,
      bytes.slice().buffer,
      new Blob([bytes.slice()]),
    ];
    for (const picture of [...files, new Response(bytes.slice())])
      expect(await read(picture, { shape: [h, w, c] })).toEqual(new Uint8Array(expected));
  }
});

test('decoded pixels of another size go the same way as a file of them', async () => {
  const picture = rgba(31, 17);
  const png = await raw(picture).png().toBuffer();
  expect(await read(picture)).toEqual(await read(png));
  const canvas = { width: 31, height: 17, getContext: () => ({ getImageData: () => picture }) };
  expect(await read(canvas)).toEqual(await read(png));
});

test('decoded pixels of the right size need no decoder: flattened and made grey to the bits of sharp', async () => {
  const picture = rgba(8, 6);
  for (const channels of [1, 3] as const)
    for (const background of [
      [0, 0, 0],
      [250, 20, 130],
    ]) {
      const [r, g, b] = background as [number, number, number];
      const theirs = await raw(picture)
        .flatten({ background: { r, g, b } })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer();
      expect(flattened(picture, channels, background)).toEqual(new Uint8Array(theirs));
      const changes = { shape: [6, 8, channels], resize: { ...resize, background } } as const;
      expect(await read(picture, changes)).toEqual(new Uint8Array(theirs));
    }
});

test('pictures are stretched, fitted or cropped as the model says', async () => {
  const picture = rgba(16, 6);
  const of = (fit: 'cover' | 'fill' | 'contain') =>
    read(picture, { resize: { ...resize, fit, background: [9, 8, 7] } }) as Promise<Uint8Array>;
  const [cover, fill, contain] = await Promise.all([of('cover'), of('fill'), of('contain')]);
  expect(new Set([cover, fill, contain].map((pixels) => pixels.join())).size).toBe(3);
  expect([...contain.subarray(0, 3), ...contain.subarray(-3)]).toEqual([9, 8, 7, 9, 8, 7]);
});

describe('arrays', () => {
  const image = Uint8Array.from({ length: 144 }, (_, i) => i);
  test('one image without a shape, many with one or as a list, of any kind', async () => {
    const floats = Float32Array.from(image);
    expect(await read(image)).toEqual(image);
    expect(await read(image.buffer)).toEqual(image);
    expect(await read(new Uint8ClampedArray(image))).toEqual(image);
    expect(await read(floats)).toEqual(floats);
    expect(await read({ data: image, shape: [6, 8, 3] })).toEqual(image);
    const two = Uint8Array.of(...image, ...image);
    expect(await read({ data: two, shape: [2, 6, 8, 3] })).toEqual(two);
    const list = await read([image, { data: two, shape: [2, 6, 8, 3] }, file]);
    expect(list).toEqual(Uint8Array.of(...image, ...two, ...((await read(file)) as Uint8Array)));
    expect(await read([floats, floats])).toEqual(Float32Array.of(...floats, ...floats));
    expect(await read([])).toEqual(new Uint8Array(0));
  });

  test('of another size are refused: what was given, what is expected, what to do', async () => {
    const takes =
      /: the model takes images of \[6,8,3\] \(144 values\); give several as a list or as \{ data, shape: \[N,6,8,3\] \}/;
    await expect(read(new Uint8Array(288))).rejects.toThrow(takes);
    await expect(read(new Uint8Array(288))).rejects.toThrow(/^288 bytes, no picture file \(JPEG.*\) and not one image/);
    await expect(read(new Float32Array(288))).rejects.toThrow(takes);
    await expect(read(new Float32Array(288))).rejects.toThrow(/^288 floats, not one image/);
    for (const given of [
      { data: image, shape: [8, 6, 3] },
      { data: image, shape: [144] },
      { data: new Uint8Array(143), shape: [6, 8, 3] },
    ])
      await expect(read(given)).rejects.toThrow(/the model takes \[N,6,8,3\]; decode or resize them to that/);
    await expect(read({ data: new Uint8Array(144), width: 6, height: 8 })).rejects.toThrow(
      /6x8 has 192 values .* got 144/,
    );
    await expect(read([image, new Float32Array(144)])).rejects.toThrow(/pixels and normalised floats/);
    for (const given of [image, [image, image]])
      await expect(read(given, { shape: [6, 8, 4] })).rejects.toThrow(ShapeError);
  });

  test('bytes that may be pixels or a file are not guessed at', async () => {
    const both = image.slice();
    both.set([0xff, 0xd8, 0xff]);
    await expect(read(both)).rejects.toThrow(/^144 bytes that may be pixels or a picture file: .* a file as a Blob$/);
    expect(await read({ data: both, shape: [6, 8, 3] })).toEqual(both);
  });
});

test('what is no picture, or cannot be read, is named', async () => {
  for (const [given, words] of [
    [undefined, /expected pictures: .* got undefined/],
    [null, /got null/],
    [[42], /got number/],
    [{}, /pixels: expected bytes .* got object/],
    [{ width: 8, height: 6 }, /only a page can draw this/],
  ] as const)
    await expect(read(given as never)).rejects.toThrow(words);
  await expect(read(file, { shape: [1, 1, 7] })).rejects.toThrow(
    /takes \[1,1,7\], which is no picture; give values as/,
  );
  await expect(read(join(folder, 'none.png'))).rejects.toThrow(/cannot read the picture .*none\.png \(ENOENT/);
  const cut = bytes.subarray(0, 60);
  await expect(read(cut)).rejects.toThrow(DataError);
  await expect(read(cut)).rejects.toThrow(/^cannot decode a picture file: /);
  await expect(read([file, new Response('', { status: 404 })])).rejects.toThrow(/HTTP 404/);
});

test('a decoder of the application takes the place of sharp, and its answer is checked', async () => {
  const asked: unknown[] = [];
  const decode = (given: Uint8Array, wanted: readonly number[]) => {
    asked.push([given.length, wanted]);
    return new Uint8ClampedArray(144).fill(5);
  };
  expect(await read([file, new Blob([Uint8Array.of(1, 2, 3)])], { decode })).toEqual(new Uint8Array(288).fill(5));
  expect(asked).toHaveLength(2);
  expect(asked).toContainEqual([bytes.length, shape]);
  expect(asked).toContainEqual([3, shape]);
  await expect(read(file, { decode: () => new Uint8Array(7) })).rejects.toThrow(
    /decode gave 7 values for .*; expected 144, \[6,8,3\]/,
  );
  const broken = async () => {
    throw new Error('no such\ncodec');
  };
  await expect(read(file, { decode: broken })).rejects.toThrow(/cannot decode .*: no such; codec/);
});

test('an aborted reading ends with its reason', async () => {
  const control = new AbortController();
  const reading = read([file, file, file], { signal: control.signal });
  control.abort(new UsageError('enough'));
  await expect(reading).rejects.toThrow('enough');
});

test('without sharp the runtime says what to install, and what does without it', async () => {
  vi.resetModules();
  vi.doMock('node:module', async (original) => ({
    ...(await original<typeof import('node:module')>()),
    createRequire: () => () => {
      throw new Error("Cannot find module 'sharp'\nand where");
    },
  }));
  try {
    const { decodePicture } = await import('../backend/platform/node-pictures.ts');
    const target = { height: 6, width: 8, channels: 3, resize };
    await expect(decodePicture(bytes, target)).rejects.toThrow(
      /needs the package sharp: `npm install sharp`, or give load\(…, \{ decode \}\) .* \(it does not load: Cannot find module 'sharp'\)$/,
    );
    expect(await decodePicture(rgba(8, 6), target)).toHaveLength(144);
  } finally {
    vi.doUnmock('node:module');
  }
});
