import { type Bytes, bytesOf } from '../core/bytes.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../core/shape.ts';

/** Values and their shape, [N,H,W,C] or [H,W,C]; a tensor is one. */
export interface Shaped<T> {
  readonly data: T;
  readonly shape: Shape;
}

/** 0..255, [N,H,W,C]: bytes as a decoder, a canvas or a file gives them. */
export type Pixels = Uint8Array | Uint8ClampedArray | ArrayBufferLike;
/** Normalised floats, [N,H,W,C]. */
export type Floats = Float32Array | ArrayBufferLike;

/** An array alone does not tell its images' size: 64x64 ones look like four times as many of 32x32. */
function valuesOf<T extends { readonly length: number }>(
  images: Bytes | Shaped<Bytes>,
  input: Shape,
  view: (data: Bytes) => T,
): T {
  if (typeof images !== 'object' || images === null || !('shape' in images)) return view(images);
  const { data, shape } = images;
  const values = view(data);
  const isBatch = shape.length - input.length <= 1;
  if (isBatch && sameShape(shape.slice(-input.length), input) && sizeOf(shape) === values.length) return values;
  throw new ShapeError(
    `images of shape ${formatShape(shape)}, ${values.length} values: the model takes [N,${input.join(',')}]; decode or resize them to that`,
  );
}

// by its tag, not its constructor: another frame's or test runner's is another
const kindOf = (data: unknown) => Object.prototype.toString.call(data).slice(8, -1);

/**
 * The pixels of a batch of images.
 *
 * @param input shape that the model takes, [H,W,C] of a picture
 * @throws ShapeError when the shape, where one is given, is another, or the array holds no bytes
 */
export const pixelsOf = (images: Pixels | Shaped<Pixels>, input: Shape): Uint8Array =>
  valuesOf(images, input, (data) => {
    const bytes = bytesOf(data, 'pixels');
    if (!ArrayBuffer.isView(data) || bytes.length === (data as Uint8Array).length) return bytes;
    throw new ShapeError(`pixels are bytes from 0 to 255, got a ${kindOf(data)}; run() takes normalised floats`);
  });

/**
 * The same of normalised floats.
 *
 * @throws ShapeError when the shape, where one is given, is another, or the array holds no floats
 */
export const floatsOf = (images: Floats | Shaped<Floats>, input: Shape): Float32Array =>
  valuesOf(images, input, (data) => {
    const kind = kindOf(data);
    if (kind === 'Float32Array') return data as Float32Array;
    const { buffer, byteOffset, byteLength } = bytesOf(data, 'images');
    if (!ArrayBuffer.isView(data) && byteLength % 4 === 0) return new Float32Array(buffer, byteOffset, byteLength / 4);
    throw new ShapeError(`images are a Float32Array of normalised values, got a ${kind}; predict() takes pixels`);
  });
