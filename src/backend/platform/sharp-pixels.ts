import type sharpModule from 'sharp';
import type { Sharp as SharpImage, SharpOptions } from 'sharp';
import type { PictureShape } from './pictures.ts';

export type Sharp = typeof sharpModule;

/** A picture this large is not a photograph but an attack on memory. */
const mostPixels = 100_000_000;

const kernels = { lanczos3: 'lanczos3', bicubic: 'cubic', bilinear: 'linear', nearest: 'nearest' } as const;

/** A picture to be turned as its camera was held. @param picture a file's bytes or path, or with `options.raw` pixels */
export const upright = (sharp: Sharp, picture: Uint8Array | string, options: SharpOptions = {}): SharpImage =>
  sharp(picture, { limitInputPixels: mostPixels, ...options }).rotate();

/**
 * A picture without alpha, at a size, in colours or grey: the one way that training and applications decode in Node.js.
 *
 * @returns [height,width,channels], 0..255
 * @throws the decoder's own errors
 */
export async function pixelsOfSharp(
  image: SharpImage,
  { height, width, channels, resize }: PictureShape,
): Promise<Uint8Array> {
  const [r, g, b] = resize.background as [number, number, number];
  const background = { r, g, b };
  image.resize(width, height, { fit: resize.fit, kernel: kernels[resize.filter], background }).flatten({ background });
  const { data, info } = await image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`it decodes to ${info.channels} channels, ${channels} are needed`);
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}
