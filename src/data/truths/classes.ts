import { DataError } from '../../core/errors.ts';
import type { Labels, Truth, TruthField } from '../truth.ts';

/** Of each image its class. */
export const classOfImage: TruthField<Uint16Array> = {
  id: 'class',
  check: (labels, { name, count, classes }) => {
    if (labels.length !== count) throw new DataError(`${name}: ${count} images but ${labels.length} labels`);
    const wrong = labels.findIndex((label) => label >= classes.length);
    if (wrong >= 0)
      throw new DataError(
        `${name}: image ${wrong} has label ${labels[wrong]}, but there are only ${classes.length} classes`,
      );
  },
  renumbered: (labels, places) => labels.map((label) => places[label]!),
};

/** What is known of an image to be classified. */
export const classTruth: Truth<Labels> = { labels: classOfImage };
