/** A decoded picture: red, green, blue and alpha, 0..255, row by row, as `ImageData` has them. */
export interface Rgba {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What of light is left of a byte of sRGB, 0..1. Source: IEC 61966-2-1. */
const light = Float32Array.from({ length: 256 }, (_, v) => {
  const s = v / 255;
  return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
});
/** And back, for 256 amounts of light; the last twice. */
const byteOfLight = Uint8Array.from({ length: 257 }, (_, i) => {
  const y = Math.min(i, 255) / 255;
  return Math.round(255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * y ** (1 / 2.4) - 0.055));
});

/** How bright a colour is, in light, as a byte of sRGB; between the table's entries on a line, so that sharp gives the same. Source: Rec. 709. */
function grey(r: number, g: number, b: number): number {
  const y = Math.fround(255 * Math.fround(0.2126 * light[r]! + 0.7152 * light[g]! + 0.0722 * light[b]!));
  const place = Math.trunc(y);
  const below = byteOfLight[place]!;
  return Math.round(below + (byteOfLight[place + 1]! - below) * Math.fround(y - place));
}

/**
 * Without alpha: over a background, red, green and blue, or grey.
 *
 * @param channels 1 or 3
 * @param background red, green and blue, 0..255
 * @returns [height,width,channels]
 */
export function flattened({ data, width, height }: Rgba, channels: number, background: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(width * height * channels);
  const [red, green, blue] = background as [number, number, number];
  const over = (value: number, alpha: number, below: number) =>
    alpha === 255 ? value : Math.trunc((value * alpha + below * (255 - alpha)) / 255);
  for (let i = 0, from = 0, to = 0; i < width * height; i++, from += 4) {
    const alpha = data[from + 3]!;
    const r = over(data[from]!, alpha, red);
    const g = over(data[from + 1]!, alpha, green);
    const b = over(data[from + 2]!, alpha, blue);
    if (channels === 1) pixels[to++] = grey(r, g, b);
    else {
      pixels[to++] = r;
      pixels[to++] = g;
      pixels[to++] = b;
    }
  }
  return pixels;
}
