import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../core/shape.ts';

/** Values and their shape, [N,H,W,C] or [H,W,C]; a tensor is one. */
export interface Shaped<T> {
  readonly data: T;
  readonly shape: Shape;
}

/**
 * The values of a batch of images. An array alone does not tell its images' size: 64x64 ones look like four times as many of 32x32.
 *
 * @param input [H,W,C] that the model takes
 * @throws ShapeError when the shape, where one is given, is another
 */
export function valuesOf<T extends Float32Array | Uint8Array>(images: T | Shaped<T>, input: Shape): T {
  if (ArrayBuffer.isView(images)) return images;
  const { data, shape } = images;
  const isBatch = shape.length === 4 || shape.length === 3;
  if (isBatch && sameShape(shape.slice(-3), input) && sizeOf(shape) === data.length) return data;
  throw new ShapeError(
    `images of shape ${formatShape(shape)}, ${data.length} values: the model takes [N,${input.join(',')}]; decode or resize them to that`,
  );
}
