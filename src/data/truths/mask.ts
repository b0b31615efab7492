import { DataError, ShapeError } from '../../core/errors.ts';
import { type Placement, pixelUnder } from '../placement.ts';
import { type Column, isRagged, type TruthField, type Values } from '../truth.ts';

/** Pixels of which nothing is known: beyond the picture's border, or left open by whoever drew the mask. */
export const unknownClass = 255;

/** Each pixel of the input takes the class under its middle. */
export function moveMask(mask: Values, placement: Placement, into: Values): number {
  const { picture, input } = placement;
  if (mask.length !== picture.width * picture.height)
    throw new ShapeError(
      `a mask has ${mask.length} pixels, its picture ${picture.width}x${picture.height}; give one class for each pixel of the picture`,
    );
  for (let y = 0, at = 0; y < input.height; y++)
    for (let x = 0; x < input.width; x++, at++) {
      const under = pixelUnder(placement, x, y);
      into[at] = under ? mask[under.y * picture.width + under.x]! : unknownClass;
    }
  return input.width * input.height;
}

const valuesOf = (mask: Column<Uint8Array>): Uint8Array => (isRagged(mask) ? mask.values : mask);
const known = (value: number, classes: readonly string[]) => value < classes.length || value === unknownClass;

/** Of each pixel its class, 255 where it is unknown; of image files in the size of the picture. */
export const maskOfImage: TruthField<Uint8Array> = {
  id: 'mask',
  perImage: ([height, width]) => height * width,
  mover: { module: import.meta.url, name: 'moveMask' },
  check: (mask: Column<Uint8Array>, { name, classes }) => {
    const wrong = valuesOf(mask).find((value) => !known(value, classes));
    if (wrong !== undefined)
      throw new DataError(
        `${name}: a mask holds ${wrong}, but there are only ${classes.length} classes; ${unknownClass} is for pixels of which nothing is known`,
      );
  },
  renumbered: (mask: Column<Uint8Array>, places) => {
    const values = valuesOf(mask).map((value) => places[value] ?? value);
    return isRagged(mask) ? { offsets: mask.offsets, values } : values;
  },
};
