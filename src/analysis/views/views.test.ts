import sharp from 'sharp';
import { expect, test } from 'vitest';
import { grid, shaded, shown } from '../../data/picture.ts';
import { buildNetwork } from '../../models/table.ts';
import { blobData } from '../../train/synthetic.testing.ts';
import { viewsOf } from './views.ts';

async function pixelsOf(uri: string): Promise<{ width: number; height: number; channels: number; pixels: number[] }> {
  const { data, info } = await sharp(Buffer.from(uri.split(',')[1]!, 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { ...info, pixels: [...data] };
}

test('values become shades around middle gray, on the scale of the largest', () => {
  expect([...shaded(Float32Array.of(-2, 0, 1, 2), 2, 2).pixels]).toEqual([0, 128, 191, 255]);
  expect([...shaded(new Float32Array(2), 2, 1).pixels]).toEqual([128, 128]);
});

test('a grid keeps its tiles apart, row by row, and survives the PNG', async () => {
  const tile = (value: number) => ({
    width: 1,
    height: 2,
    channels: 1 as const,
    pixels: Uint8Array.of(value, value + 1),
  });
  const joined = grid([tile(10), tile(20), tile(30)], 2);
  expect(joined).toMatchObject({ width: 3, height: 5 });
  const expected = [10, 128, 20, 11, 128, 21, 128, 128, 128, 30, 128, 128, 31, 128, 128];
  expect([...joined.pixels]).toEqual(expected);
  const { width, height, channels, pixels } = await pixelsOf(shown(joined).uri);
  expect([width, height]).toEqual([3, 5]);
  expect(pixels.filter((_, i) => i % channels === 0)).toEqual(expected);
});

const data = blobData();
const built = (method: string) =>
  buildNetwork({
    model: 'resnet20',
    method,
    inputShape: [...data.shape] as [number, number, number],
    classes: data.classes.length,
    width: 0.25,
    seed: 2,
  });

test('what a binary layer uses is black and white; what arrives, and a float layer, is not', async () => {
  const shades = async (uri: string) => new Set((await pixelsOf(uri)).pixels);
  const views = await viewsOf(built('bi-real'), data);
  expect(views.layers).toHaveLength(6);
  expect([views.layers[0]!.layer, views.layers.at(-1)!.layer]).toEqual(['1.first', '9.second']);
  for (const { arriving, used, filters } of views.layers) {
    expect(arriving).toHaveLength(2);
    expect((await shades(arriving[0]!.uri)).size).toBeGreaterThan(3);
    // black, white, and the gray between the tiles
    for (const shade of await shades(used[0]!.uri)) expect([0, 128, 255]).toContain(shade);
    for (const shade of await shades(filters.uri)) expect([0, 128, 255]).toContain(shade);
  }
  const float = await viewsOf(built('float'), data);
  expect((await shades(float.layers[0]!.used[0]!.uri)).size).toBeGreaterThan(3);
  expect((await shades(float.layers[0]!.filters.uri)).size).toBeGreaterThan(3);
});

test('the examples are images of different classes, as they are in the data set', async () => {
  const { images } = await viewsOf(built('bnn'), data);
  expect(images.map(({ label }) => label)).toEqual(data.classes.slice(0, 2));
  const place = data.test.labels.indexOf(0);
  const size = data.shape.reduce((a, b) => a * b);
  const original = [...(data.test as { pixels: Uint8Array }).pixels.subarray(place * size, (place + 1) * size)];
  const { channels, pixels } = await pixelsOf(images[0]!.picture.uri);
  const pixelsShown = data.shape[2] === 3 ? pixels : pixels.filter((_, i) => i % channels === 0);
  expect(pixelsShown.length).toBe(original.length);
  pixelsShown.forEach((value, i) => {
    expect(Math.abs(value - original[i]!)).toBeLessThanOrEqual(1);
  });
});
