import { DataError } from '../../core/errors.ts';
import { type Placement, toInput } from '../placement.ts';
import type { Ragged, TruthField, Values } from '../truth.ts';

/** Class, left, top, right, bottom. */
export const boxWidth = 5;

/**
 * What is seen of each box, in pixels of the input. A box stays when its middle is seen (Liu et al., SSD, ECCV 2016, sec. 2.2).
 */
export function moveBoxes(boxes: Values, placement: Placement, into: Values): number {
  const { width, height } = placement.input;
  let at = 0;
  for (let i = 0; i < boxes.length; i += boxWidth) {
    const [kind, left, top, right, bottom] = boxes.subarray(i, i + boxWidth) as unknown as number[];
    const [a, b] = [toInput(placement, left!, top!), toInput(placement, right!, bottom!)];
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    if (middle.x < 0 || middle.x >= width || middle.y < 0 || middle.y >= height) continue;
    into[at++] = kind!;
    into[at++] = Math.max(0, Math.min(a.x, b.x));
    into[at++] = Math.max(0, a.y);
    into[at++] = Math.min(width, Math.max(a.x, b.x));
    into[at++] = Math.min(height, b.y);
  }
  return at;
}

/** Of each image any number of boxes, five values each: class, left, top, right, bottom, in pixels of the picture as it is stored. */
export const boxesOfImage: TruthField<Ragged<Float32Array>> = {
  id: 'boxes',
  mover: { module: import.meta.url, name: 'moveBoxes' },
  check: ({ offsets, values }, { name, classes }) => {
    const cut = offsets.findIndex((offset) => offset % boxWidth !== 0);
    if (cut >= 0)
      throw new DataError(
        `${name}: the boxes of image ${cut - 1} are not of five values each (class, left, top, right, bottom)`,
      );
    for (let i = 0; i < values.length; i += boxWidth) {
      const [kind, left, top, right, bottom] = values.subarray(i, i + boxWidth) as unknown as number[];
      if (!(Number.isInteger(kind) && kind! >= 0 && kind! < classes.length && left! < right! && top! < bottom!))
        throw new DataError(
          `${name}: box ${i / boxWidth} is [${values.subarray(i, i + boxWidth).join(', ')}]; expected a class below ${classes.length}, left < right and top < bottom`,
        );
    }
  },
  renumbered: ({ offsets, values }, places) => ({
    offsets,
    values: values.map((value, i) => (i % boxWidth === 0 ? places[value]! : value)),
  }),
};
