import { zlibSync } from 'fflate';
import { crc32 } from '../core/crc32.ts';
import type { DataSet } from './dataset.ts';

/** Rows of gray or red, green, blue bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** A picture as a data URI, and its size in pixels. */
export interface Shown {
  readonly uri: string;
  readonly width: number;
  readonly height: number;
}

/** Between the tiles of a grid. */
const gap = 1;
const gapShade = 128;

/** Values as shades: 0 is middle gray, the largest magnitude black or white. Constant zero stays gray. */
export function shaded(values: Float32Array, width: number, height: number): Picture {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const pixels = Uint8Array.from(values, (value) => Math.round(127.5 + (127.5 * value) / largest));
  return { width, height, channels: 1, pixels };
}

/** Tiles of one size in rows of `columns`, a gray line between them. */
export function grid(tiles: readonly Picture[], columns: number): Picture {
  const [first] = tiles;
  if (!first) throw new RangeError('a grid needs at least one tile');
  const { width: w, height: h, channels } = first;
  const [across, down] = [Math.min(columns, tiles.length), Math.ceil(tiles.length / columns)];
  const width = across * (w + gap) - gap;
  const height = down * (h + gap) - gap;
  const pixels = new Uint8Array(width * height * channels).fill(gapShade);
  for (const [i, tile] of tiles.entries())
    for (let y = 0; y < h; y++) {
      const row = Math.floor(i / columns) * (h + gap) + y;
      const at = (row * width + (i % columns) * (w + gap)) * channels;
      pixels.set(tile.pixels.subarray(y * w * channels, (y + 1) * w * channels), at);
    }
  return { width, height, channels, pixels };
}

/** Normalised pixels of one image of a batch as bytes again. */
export function pictureOf(
  images: Float32Array,
  image: number,
  { shape: [height, width, channels], mean, std }: Pick<DataSet, 'shape' | 'mean' | 'std'>,
): Picture {
  const at = image * height * width * channels;
  const shown = channels === 3 ? 3 : 1;
  const pixels = Uint8Array.from({ length: height * width * shown }, (_, i) => {
    const c = i % shown;
    return Math.round(255 * (images[at + Math.floor(i / shown) * channels + c]! * std[c]! + mean[c]!));
  });
  return { width, height, channels: shown, pixels };
}

/** A picture of at most `most` pixels a side, whole squares of pixels averaged. */
export function shrunk(picture: Picture, most: number): Picture {
  const factor = Math.ceil(Math.max(picture.width, picture.height) / most);
  if (factor <= 1) return picture;
  const { channels, pixels } = picture;
  const width = Math.max(1, Math.floor(picture.width / factor));
  const height = Math.max(1, Math.floor(picture.height / factor));
  const across = Math.min(factor, picture.width);
  const down = Math.min(factor, picture.height);
  const small = new Uint8Array(width * height * channels).map((_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    let sum = 0;
    for (let dy = 0; dy < down; dy++)
      for (let dx = 0; dx < across; dx++)
        sum += pixels[((y * factor + dy) * picture.width + x * factor + dx) * channels + c]!;
    return Math.round(sum / (across * down));
  });
  return { width, height, channels, pixels: small };
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const colourTypes = { 1: 0, 3: 2 } as const;

/** Length, name, data and their sum (PNG specification, sec. 5.3). */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A PNG as a data URI, to stand in a page without files beside it. */
export function shown({ width, height, channels, pixels }: Picture): Shown {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, colourTypes[channels]], 8);
  const row = width * channels;
  // every row begins with the number of its filter: none
  const rows = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const chunks = [chunk('IHDR', header), chunk('IDAT', zlibSync(rows, { level: 9 })), chunk('IEND', new Uint8Array())];
  const png = Buffer.concat([Uint8Array.from(signature), ...chunks]);
  return { uri: `data:image/png;base64,${png.toString('base64')}`, width, height };
}
