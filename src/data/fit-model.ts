import { DataError } from '../core/errors.ts';
import { listed, printable } from '../core/printable.ts';
import type { ResizeRule } from '../runtime/graph.ts';
import type { DataSet, Split } from './dataset.ts';
import { columnsOf, type Truth } from './truth.ts';
import { classTruth } from './truths/classes.ts';

/** What a trained network says of the images that it is for. */
export interface ModelImages {
  /** [H,W,C] */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
  /** Per channel, of pixels/255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** How picture files are brought to its size, where it says. */
  readonly resize?: ResizeRule | undefined;
}

/** `evaluate`: some of the model's classes are enough; `train`: the data must have all of them. */
export type FitUse = 'evaluate' | 'train';

export interface FittedData<S extends Split<object> = Split> {
  /** Classes, order, shape and normalisation are the model's. */
  readonly data: DataSet<S>;
  /** What differed, for people; empty when nothing did. */
  readonly notes: readonly string[];
}

const sizeText = (shape: readonly number[]): string => shape.join('x');

/** The same name may be stored in composed or decomposed letters. */
const sameName = (name: string): string => name.normalize('NFC');

export const haveSameClasses = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a.map(sameName).sort()) === JSON.stringify(b.map(sameName).sort());

/** @throws DataError when the images are of another size or channel count, and cannot be decoded otherwise */
function withShape<S extends Split<object>>(
  data: DataSet<S>,
  shape: ModelImages['shape'],
  notes: string[],
): DataSet<S> {
  if (sizeText(data.shape) === sizeText(shape)) return data;
  const decodes = data.anyShape && [1, 3].includes(shape[2]);
  if (!decodes) {
    const advice = 'files' in data.test && shape[0] === shape[1] && shape[2] === data.shape[2];
    throw new DataError(
      `the model takes images of ${sizeText(shape)}, ${printable(data.name)} has ${sizeText(data.shape)}; ${advice ? `give ${printable(data.name)}@${shape[0]}, or the folder without a size` : 'give data of its size and channels'}`,
    );
  }
  notes.push(`${printable(data.name)} is decoded at ${sizeText(shape)}, as the model takes it`);
  return { ...data, shape };
}

/** @throws DataError for classes that the model does not know; in training, for ones that it knows and the data lacks */
function withClasses<S extends Split<object>>(
  data: DataSet<S>,
  classes: readonly string[],
  use: FitUse,
  truth: Truth,
  notes: string[],
): DataSet<S> {
  const index = new Map(classes.map((name, i) => [sameName(name), i]));
  const given = new Set(data.classes.map(sameName));
  const unknown = data.classes.filter((name) => !index.has(sameName(name)));
  const missing = classes.filter((name) => !given.has(sameName(name)));
  const name = printable(data.name);
  const knows = `it tells ${classes.length} classes apart: ${listed(classes, 12)}`;
  if (unknown.length > 0)
    throw new DataError(
      `the model does not know ${listed(unknown)} of ${name}; ${knows}. Give data of its classes with --data, or train a model on this`,
    );
  if (missing.length > 0 && use === 'train')
    throw new DataError(
      `${name} no longer has ${listed(missing)}, which the model is trained on; ${knows}. Put the images back, or train a new run`,
    );
  if (missing.length > 0)
    notes.push(
      `${name} has ${data.classes.length} of the model's ${classes.length} classes (${listed(data.classes)}): it is judged on these`,
    );
  const places = Uint16Array.from(data.classes, (label) => index.get(sameName(label))!);
  if (places.every((place, i) => place === i)) return { ...data, classes };
  if (missing.length === 0) notes.push(`${name} has the model's classes in another order: its labels are mapped`);
  const mapped = (split: S): S => ({
    ...split,
    ...Object.fromEntries(
      columnsOf(split).map(([field, column]) => [field, truth[field]?.renumbered?.(column, places) ?? column]),
    ),
  });
  return { ...data, classes, train: mapped(data.train), test: mapped(data.test) };
}

/**
 * A data set as a model sees it, wherever the two meet: the classes in the model's order, its image size and its normalisation. What a model
 * says counts, not what today's folder says.
 *
 * @throws DataError when its images or classes are not the model's
 * @param truth which columns tell classes, default `labels`
 */
export function fitToModel<S extends Split<object>>(
  data: DataSet<S>,
  model: ModelImages,
  use: FitUse,
  truth: Truth = classTruth,
): FittedData<S> {
  const notes: string[] = [];
  const fitted = withClasses(withShape(data, model.shape, notes), model.classes, use, truth, notes);
  const { mean, std, resize } = model;
  if (mean.length !== model.shape[2] || std.length !== model.shape[2])
    throw new DataError(
      `the model names ${mean.length} means and ${std.length} deviations for ${model.shape[2]} channels; its file is damaged`,
    );
  return { data: { ...fitted, mean, std, ...(resize ? { resize } : {}) }, notes };
}
