import { FormatError } from '../../core/errors.ts';
import { list, record, text } from '../../core/fields.ts';
import { sizeOf } from '../../core/shape.ts';
import type { ValueType } from '../op.ts';
import { bestClasses, type Prediction } from '../prediction.ts';
import type { AnswerPlace, Answers } from './decoder.ts';

/** Of an application. */
export interface ClassificationOptions {
  /** How many classes; default 5. */
  readonly top?: number | undefined;
}

const settings = record({ classes: list(text(1000), 2, 100_000) });

/** Which of several classes an image shows: the first output holds one float for each, the largest wins. */
export const classification = {
  id: 'classification',
  /** @throws FormatError when the settings are none, or the output is another */
  read: (stored: unknown, output: ValueType): readonly string[] => {
    const { classes } = settings(stored, 'task.settings');
    if (sizeOf(output.shape) * output.rows === classes.length) return classes;
    throw new FormatError(`the model's output is not one float per class (${classes.length})`);
  },
  /** The most probable classes of a picture, best first: softmax of its logits. */
  decode: (
    outputs: Answers,
    { classes }: Pick<AnswerPlace, 'classes'>,
    { top = 5 }: ClassificationOptions = {},
  ): Prediction[] => bestClasses(Object.values(outputs)[0]!, classes, top)[0]!,
};
