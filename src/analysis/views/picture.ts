import { loadSharp } from '../../data/optional-package.ts';

/** Rows of gray or red, green, blue bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
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

/** A PNG as a data URI, to stand in a page without files beside it. */
export async function pngUri({ width, height, channels, pixels }: Picture): Promise<string> {
  const sharp = await loadSharp();
  const png = await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
