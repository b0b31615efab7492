import { DataError } from '../../core/errors.ts';
import type { Ragged, TruthField } from '../truth.ts';

/** Of each image the classes that are seen in it: none, one or several, each once. */
export const tagsOfImage: TruthField<Ragged<Uint16Array>> = {
  id: 'several classes',
  check: ({ values }, { name, classes }) => {
    const wrong = values.find((tag) => tag >= classes.length);
    if (wrong !== undefined)
      throw new DataError(`${name}: an image is tagged ${wrong}, but there are only ${classes.length} classes`);
  },
  renumbered: ({ offsets, values }, places) => ({ offsets, values: values.map((tag) => places[tag]!) }),
};
