import type { Rgba } from '../../core/pixels.ts';

/** How a picture of another size becomes an input. */
export interface Resize {
  /** `cover`: scaled to fill and cropped in the middle; `fill`: stretched; `contain`: scaled to fit, on the background. */
  readonly fit: 'cover' | 'fill' | 'contain';
  /** How pixels between pixels are found; a page has only its own smooth way beside `nearest`. */
  readonly filter: 'lanczos3' | 'bicubic' | 'bilinear' | 'nearest';
  /** What shows through transparent pixels, 0..255 for red, green and blue. */
  readonly background: readonly number[];
}

/** What is to become of a picture. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  /** 1: grey; 3: colours. */
  readonly channels: number;
  readonly resize: Resize;
}

/** A picture file, decoded pixels, or what a page draws: a canvas, an image, a video's present picture. */
export type PictureSource = Uint8Array | Rgba | object;
