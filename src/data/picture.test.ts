import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type Picture, pictureOf, shown, shrunk } from './picture.ts';

test.each([1, 3] as const)('a PNG of %d channels is read by others as it was', async (channels) => {
  const pixels = Uint8Array.from({ length: 7 * 5 * channels }, (_, i) => (i * 37) % 256);
  const { uri } = shown({ width: 7, height: 5, channels, pixels });
  const image = sharp(Buffer.from(uri.split(',')[1]!, 'base64'));
  const { data, info } = await (channels === 1 ? image.toColourspace('b-w') : image)
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([7, 5, channels]);
  expect([...data]).toEqual([...pixels]);
});

test('large pictures shrink by whole squares, small ones stay', () => {
  const picture: Picture = {
    width: 4,
    height: 3,
    channels: 1,
    pixels: Uint8Array.of(0, 2, 4, 6, 2, 4, 6, 8, 9, 9, 9, 9),
  };
  expect(shrunk(picture, 4)).toBe(picture);
  expect(shrunk(picture, 2)).toEqual({ width: 2, height: 1, channels: 1, pixels: Uint8Array.of(2, 6) });
  expect(shrunk({ ...picture, width: 12, height: 1 }, 2)).toMatchObject({ width: 2, height: 1 });
});

test('normalised pixels are bytes again, whatever their channels', () => {
  const of = { shape: [1, 2, 3] as const, mean: [0.5, 0, 0], std: [0.5, 1, 1] };
  expect([...pictureOf(Float32Array.of(0, 0, 1, 1, 0.2, 0), 0, of).pixels]).toEqual([128, 0, 255, 255, 51, 0]);
  // of two or four channels the first one
  const two = { shape: [1, 2, 2] as const, mean: [0, 0], std: [1, 1] };
  expect([...pictureOf(Float32Array.of(0, 9, 1, 9), 0, two).pixels]).toEqual([0, 255]);
});
