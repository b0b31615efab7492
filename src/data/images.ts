import { DataError } from '../core/errors.ts';
import type { Region } from './crop.ts';

/** A picture this large is not a photograph but an attack on memory. */
const mostPixels = 100_000_000;

/** The part of an image to decode, chosen when its size is known. */
export type ChooseRegion = (width: number, height: number) => Region;

/**
 * Decodes an image file (JPEG, PNG, WebP, ...) to pixels of a given size: the whole image scaled and cropped to the aspect ratio, or
 * the chosen region stretched.
 *
 * @param file its bytes, or its path
 * @param name what the error calls it
 * @param shape [H,W,C], C 1 (grey) or 3
 * @returns H*W*C bytes
 * @throws DataError when it cannot be decoded
 */
export async function decodeImage(
  file: Uint8Array | string,
  name: string,
  shape: readonly [number, number, number],
  region?: ChooseRegion,
): Promise<Uint8Array> {
  const [height, width, channels] = shape;
  // a native library of 14 MB, which a process that decodes nothing does without
  const { default: sharp } = await import('sharp');
  try {
    const image = sharp(file, { limitInputPixels: mostPixels }).rotate();
    if (region) {
      const { autoOrient } = await image.metadata();
      image.extract(region(autoOrient.width, autoOrient.height));
    }
    image.resize(width, height, { fit: region ? 'fill' : 'cover' }).flatten({ background: '#000' });
    const { data, info } = await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`it decodes to ${info.channels} channels, ${channels} are needed`);
    return data;
  } catch (error) {
    throw new DataError(`cannot decode image ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  readonly label: number;
}

/** Decodes many files, a few at a time (sharp runs them on its own threads). */
export async function decodeAll(
  files: readonly Omit<NamedFile, 'label'>[],
  shape: readonly [number, number, number],
): Promise<Uint8Array> {
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Uint8Array(files.length * size);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < files.length; i = next++)
      pixels.set(await decodeImage(files[i]!.bytes, files[i]!.name, shape), i * size);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return pixels;
}
