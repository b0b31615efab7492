import { bytesAt, decodePicture } from '#platform';
import type { PictureShape, Resize } from '../backend/platform/pictures.ts';
import type { Bytes } from '../core/bytes.ts';
import { DataError, ShapeError, UsageError } from '../core/errors.ts';
import type { Rgba } from '../core/pixels.ts';
import { printable, reasonOf } from '../core/printable.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import { breather } from './breather.ts';
import type { InputValues } from './executor.ts';
import { type Floats, floatsOf, type Pixels, pixelsOf, type Shaped } from './shaped.ts';

/** What a page can draw: a canvas, an image, a video's present picture; in Node.js a canvas of a package that has `getContext`. */
export interface Drawable {
  readonly width: unknown;
  readonly height: unknown;
}

/** Something that holds a file's bytes: a `Blob`, a `File`, a `Response`. */
export interface FileLike {
  /** The file's bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * A picture file by its path, address or bytes; decoded pixels (`ImageData`, a canvas); or values with their shape, [H,W,C] or [N,H,W,C]:
 * bytes are pixels 0..255, floats are normalised already. An array without a shape is one image.
 */
export type PictureInput = string | URL | FileLike | Rgba | Drawable | Bytes | Shaped<Pixels> | Shaped<Floats>;
/** A batch, or one. */
export type Images = PictureInput | readonly PictureInput[];

/**
 * Decodes picture files in the place of sharp or the page.
 *
 * @param file its bytes
 * @param shape of the pixels that the model takes, [H,W,C]
 * @returns H*W*C values 0..255: oriented, without alpha, scaled
 */
export type Decode = (
  file: Uint8Array,
  shape: readonly [number, number, number],
) => Uint8Array | Uint8ClampedArray | Promise<Uint8Array | Uint8ClampedArray>;

/** How pictures become values of an input. */
export interface ImageReading {
  /** [H,W,C] */
  readonly shape: readonly [number, number, number];
  readonly resize: Resize;
  readonly decode: Decode | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Decoders work beside the calling thread, on this many files at a time; what is decoded already is turned into values one by one. */
const mostFiles = 8;
const mayBeFile = (picture: PictureInput) => typeof picture !== 'object' || picture === null || !('data' in picture);

/** How files of JPEG, PNG, GIF, WebP, TIFF and AVIF begin. */
const pictureFile = /^(\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF.{4}WEBP|II[*+]|MM.[*+]|.{4}ftyp)/s;
const looksLikeFile = (bytes: Uint8Array) => pictureFile.test(String.fromCharCode(...bytes.subarray(0, 12)));

const has = <K extends string>(value: object, key: K): value is Record<K, unknown> => key in value;

async function decoded(source: Uint8Array | Rgba | Drawable, name: string, reading: ImageReading): Promise<Uint8Array> {
  const { shape, resize, decode } = reading;
  const [height, width, channels] = shape;
  if (channels !== 1 && channels !== 3)
    throw new UsageError(
      `the model takes ${formatShape(shape)}, which is no picture; give values as { data, shape: [N,${shape.join(',')}] }`,
    );
  try {
    if (!decode || !(source instanceof Uint8Array))
      return await decodePicture(source, { height, width, channels, resize } satisfies PictureShape);
    const pixels = await decode(source, shape);
    if (pixels?.length === sizeOf(shape)) return pixelsOf(pixels, shape);
    throw new ShapeError(
      `decode gave ${pixels?.length} values for ${name}; expected ${sizeOf(shape)}, ${formatShape(shape)}`,
    );
  } catch (error) {
    if (error instanceof UsageError || error instanceof ShapeError) throw error;
    throw new DataError(
      `cannot decode ${name}: ${reasonOf(error)
        .trim()
        .replaceAll(/\s*\n\s*/g, '; ')}`,
    );
  }
}

async function fileAt(address: string): Promise<Uint8Array> {
  try {
    return await bytesAt(address);
  } catch (error) {
    throw new DataError(
      `cannot read the picture ${printable(address)} (${reasonOf(error)}); expected a path, an address, or the file's bytes`,
    );
  }
}

async function fileOf(file: FileLike): Promise<Uint8Array> {
  const { ok, status } = file as Partial<Response>;
  if (ok === false) throw new DataError(`cannot read a picture: its address answered HTTP ${status}`);
  return new Uint8Array(await file.arrayBuffer());
}

/** @throws ShapeError saying what the model takes and how to give it */
function refuse(given: string, { shape }: ImageReading): never {
  throw new ShapeError(
    `${given}: the model takes images of ${formatShape(shape)} (${sizeOf(shape)} values); give several as a list or as { data, shape: [N,${shape.join(',')}] }, a file as a Blob`,
  );
}

/** Bytes without a shape: the pixels of one image, or a picture file. @throws ShapeError when they may be both, or are neither */
async function bareBytes(bytes: Uint8Array, reading: ImageReading): Promise<Uint8Array> {
  const [fits, isFile] = [bytes.length === sizeOf(reading.shape), looksLikeFile(bytes)];
  if (isFile && !fits) return decoded(bytes, 'a picture file', reading);
  if (fits && !isFile) return bytes;
  return refuse(
    fits
      ? `${bytes.length} bytes that may be pixels or a picture file`
      : `${bytes.length} bytes, no picture file (JPEG, PNG, WebP, AVIF, GIF, TIFF) and not one image`,
    reading,
  );
}

async function valuesOf(picture: PictureInput, reading: ImageReading): Promise<InputValues> {
  if (typeof picture === 'string') return decoded(await fileAt(picture), printable(picture), reading);
  if (typeof picture !== 'object' || picture === null)
    throw new UsageError(
      `expected pictures: a file's path, address or bytes, ImageData, a canvas, or { data, shape }; got ${picture === null ? 'null' : typeof picture}`,
    );
  // by what they have, not their constructor: another frame's or test runner's is another
  if (has(picture, 'href')) return decoded(await fileAt(`${picture}`), printable(`${picture}`), reading);
  if (has(picture, 'arrayBuffer')) return decoded(await fileOf(picture as FileLike), 'a picture file', reading);
  if (has(picture, 'shape')) {
    const { data } = picture as Shaped<Pixels | Floats>;
    const isFloats = Object.prototype.toString.call(data) === '[object Float32Array]';
    return isFloats
      ? floatsOf(picture as Shaped<Floats>, reading.shape)
      : pixelsOf(picture as Shaped<Pixels>, reading.shape);
  }
  if (has(picture, 'data') && has(picture, 'width')) {
    const { data, width, height } = picture as Rgba;
    if (data?.length === 4 * width * height) return decoded(picture as Rgba, 'ImageData', reading);
    throw new ShapeError(
      `a picture of ${width}x${height} has ${4 * width * height} values (red, green, blue, alpha), got ${data?.length}; give others as { data, shape: [H,W,C] }`,
    );
  }
  if (has(picture, 'width') && has(picture, 'height')) return decoded(picture as Drawable, 'a drawing', reading);
  if (Object.prototype.toString.call(picture) === '[object Float32Array]') {
    const floats = picture as unknown as Float32Array;
    return floats.length === sizeOf(reading.shape) ? floats : refuse(`${floats.length} floats, not one image`, reading);
  }
  return bareBytes(pixelsOf(picture as Bytes as Pixels, reading.shape), reading);
}

async function joined(parts: readonly InputValues[]): Promise<InputValues> {
  const [first] = parts as [InputValues];
  if (parts.some((part) => part instanceof Float32Array !== first instanceof Float32Array))
    throw new ShapeError('a batch of pixels and normalised floats: give either to all images');
  const Kind = first.constructor as new (length: number) => InputValues;
  const all = new Kind(parts.reduce((sum, { length }) => sum + length, 0));
  const breathe = breather();
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
    await breathe();
  }
  return all;
}

/**
 * Pictures as values of a network's input, [N,H,W,C]: pixels, or floats where floats were given.
 *
 * @throws ShapeError for arrays of another size, DataError for files that cannot be read, UsageError for what is no picture
 */
export async function readImages(images: Images, reading: ImageReading): Promise<InputValues> {
  const { signal } = reading;
  signal?.throwIfAborted();
  if (!Array.isArray(images)) return valuesOf(images as PictureInput, reading);
  if (images.length === 0) return new Uint8Array(0);
  const parts: InputValues[] = [];
  const breathe = breather();
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < images.length; i = next++) {
      await breathe();
      signal?.throwIfAborted();
      parts[i] = await valuesOf(images[i]!, reading);
    }
  };
  await Promise.all(Array.from({ length: images.some(mayBeFile) ? mostFiles : 1 }, lane));
  return joined(parts);
}
