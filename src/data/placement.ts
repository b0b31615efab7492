import type { Region } from './crop.ts';

/** Sides of a picture, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How a picture lies in the network's input: drawn once an image, it moves pixels and truths alike. */
export interface Placement {
  /** Of the picture, upright, in its own pixels. */
  readonly picture: Size;
  /** The part of it that the input shows, in the picture's pixels; where it reaches beyond the picture the input is black. */
  readonly region: Region;
  /** Left and right of the input are exchanged. */
  readonly mirrored: boolean;
  readonly input: Size;
}

/** Whole pixels that an input is shifted by, and whether it is mirrored then. */
export interface Shift {
  readonly dx: number;
  readonly dy: number;
  readonly mirrored: boolean;
}

export const still: Shift = { dx: 0, dy: 0, mirrored: false };

/** The placement of a picture of which the input would show `region`, but is shifted. */
export function placed(picture: Size, region: Region, input: Size, { dx, dy, mirrored }: Shift): Placement {
  const { left, top, width, height } = region;
  const moved = { left: left + (dx * width) / input.width, top: top + (dy * height) / input.height, width, height };
  return { picture, region: moved, mirrored, input };
}

/** The part of a picture that is seen when it is scaled until it covers the input and cut in the middle, as `decodeImage` does. */
function coveredRegion({ width, height }: Size, input: Size): Region {
  const scale = Math.max(input.width / width, input.height / height);
  const [wide, high] = [
    Math.max(input.width, Math.round(width * scale)),
    Math.max(input.height, Math.round(height * scale)),
  ];
  const [x, y] = [width / wide, height / high];
  return {
    left: Math.floor((wide - input.width + 1) / 2) * x,
    top: Math.floor((high - input.height + 1) / 2) * y,
    width: input.width * x,
    height: input.height * y,
  };
}

/** The same of a picture that is scaled until it lies in the input, and centred: it reaches beyond the picture. */
function containedRegion({ width, height }: Size, input: Size): Region {
  const scale = Math.min(input.width / width, input.height / height);
  const [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const [x, y] = [width / wide, height / high];
  return {
    left: -Math.floor((input.width - wide) / 2) * x,
    top: -Math.floor((input.height - high) / 2) * y,
    width: input.width * x,
    height: input.height * y,
  };
}

/** The part of a picture that the input shows, by how it is made to fit. */
export const regionBy: Readonly<Record<'cover' | 'contain' | 'fill', (picture: Size, input: Size) => Region>> = {
  cover: coveredRegion,
  contain: containedRegion,
  fill: (picture) => ({ left: 0, top: 0, ...picture }),
};

/** Where a point of the picture lies in the input; pixel (x,y) reaches from there to (x + 1, y + 1). */
export function toInput({ region, mirrored, input }: Placement, x: number, y: number): { x: number; y: number } {
  const across = ((x - region.left) * input.width) / region.width;
  return {
    x: mirrored ? input.width - across : across,
    y: ((y - region.top) * input.height) / region.height,
  };
}

/** The pixel of the picture under the middle of one of the input; null beyond its border. */
export function pixelUnder({ picture, region, mirrored, input }: Placement, x: number, y: number): Pixel | null {
  const across = mirrored ? input.width - 1 - x : x;
  const left = Math.floor(region.left + ((across + 0.5) * region.width) / input.width);
  const top = Math.floor(region.top + ((y + 0.5) * region.height) / input.height);
  const inside = left >= 0 && left < picture.width && top >= 0 && top < picture.height;
  return inside ? { x: left, y: top } : null;
}

export interface Pixel {
  readonly x: number;
  readonly y: number;
}
