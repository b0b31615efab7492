import { pixelsOfSharp, upright } from '../backend/platform/sharp-pixels.ts';
import { DataError, UsageError } from '../core/errors.ts';
import { throwIfInterrupted } from '../core/interrupt.ts';
import { reasonOf } from '../core/printable.ts';
import { type ResizeRule, usualResize } from '../runtime/graph.ts';
import type { Region } from './crop.ts';
import { loadSharp } from './optional-package.ts';
import type { UnusedFile } from './picture-files.ts';
import { regionBy, type Size } from './placement.ts';

/** The part of an image to decode, chosen when its size is known. */
export type ChooseRegion = (width: number, height: number) => Region;

/** A picture as large as the input, and which part of it that is. */
export interface DecodedPicture {
  readonly pixels: Uint8Array;
  readonly picture: Size;
  readonly region: Region;
}

const nowhere = { width: 0, height: 0 };

/**
 * As `decodeImage`; throws the decoder's own errors.
 *
 * @param located whether `picture` and `region` are wanted: without a chosen region the file is asked for its size first
 * @param rule a packed model's, where it has one
 */
export async function decodePicture(
  file: Uint8Array | string,
  [height, width, channels]: readonly [number, number, number],
  choose?: ChooseRegion,
  located = false,
  rule: ResizeRule = usualResize,
): Promise<DecodedPicture> {
  const image = upright(await loadSharp(), file);
  const { autoOrient: picture } = choose || located ? await image.metadata() : { autoOrient: nowhere };
  const chosen = choose?.(picture.width, picture.height);
  if (chosen) image.extract(chosen);
  const resize = chosen ? ({ ...rule, fit: 'fill' } as const) : rule;
  const pixels = await pixelsOfSharp(image, { height, width, channels, resize });
  return { pixels, picture, region: chosen ?? regionBy[rule.fit](picture, { width, height }) };
}

/** The pixels alone. */
export const decodePixels = async (...of: Parameters<typeof decodePicture>): Promise<Uint8Array> =>
  (await decodePicture(...of)).pixels;

/** In one line, without the path that the decoder puts before it. @throws the error when no picture is to blame: there is no decoder */
export function decodeReason(error: unknown): string {
  if (error instanceof UsageError) throw error;
  return reasonOf(error)
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ');
}

/**
 * Decodes an image file (JPEG, PNG, WebP, AVIF, GIF, TIFF) to pixels of a given size: the whole image scaled and cropped to the aspect
 * ratio, or the chosen region stretched. Of an animation, the first picture.
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
  try {
    return await decodePixels(file, shape, region);
  } catch (error) {
    throw new DataError(`cannot decode image ${name}: ${decodeReason(error)}`);
  }
}

/** Decoded pictures, the readable ones in the order of their files. */
export interface Decoded {
  readonly pixels: Uint8Array;
  /** Places of the readable files among those given. */
  readonly places: readonly number[];
  readonly broken: readonly UnusedFile[];
}

/** Decodes many files, a few at a time (sharp runs them on its own threads). @param files their bytes, or their paths */
export async function decodeAll(
  files: readonly { readonly name: string; readonly bytes: Uint8Array | string }[],
  shape: readonly [number, number, number],
): Promise<Decoded> {
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Uint8Array(files.length * size);
  const reasons: (string | undefined)[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < files.length; i = next++) {
      throwIfInterrupted();
      try {
        pixels.set(await decodePixels(files[i]!.bytes, shape), i * size);
      } catch (error) {
        reasons[i] = decodeReason(error);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const places = files.flatMap((_, i) => (reasons[i] === undefined ? [i] : []));
  places.forEach((place, i) => {
    pixels.copyWithin(i * size, place * size, (place + 1) * size);
  });
  const broken = files.flatMap(({ name }, i) => (reasons[i] === undefined ? [] : [{ name, reason: reasons[i] }]));
  return { pixels: pixels.subarray(0, places.length * size), places, broken };
}
