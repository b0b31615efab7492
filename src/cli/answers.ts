import { printable, printableText } from '../core/printable.ts';
import { PackedModel } from '../runtime/packed-model.ts';
import type { Prediction } from '../runtime/prediction.ts';
import { classification } from '../runtime/tasks/classification.ts';
import { type Decoder, placeOf } from '../runtime/tasks/decoder.ts';
import type { PackedEnsemble } from '../runtime/vote.ts';
import type { House } from '../train/plugin.ts';
import { percent } from './output.ts';

/** How the answers of a model are read, and told to people. */
export interface AnswerReader {
  /** What JSON calls them. */
  readonly key: 'predictions' | 'answer';
  /** @param pixels of one picture, as large as the input */
  answerTo(pixels: Uint8Array): unknown;
  tell(answer: unknown): string;
}

/** Arrays of numbers as lists. */
export const asJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (ArrayBuffer.isView(part) ? Array.from(part as Uint8Array) : part));

const tellClasses = (answer: unknown): string =>
  (answer as readonly Prediction[])
    .map(({ label, probability }) => `${printable(label)} ${percent(probability)}`)
    .join(', ');

/** The decoder of the model's task. Classifiers load no task: who asks for a picture's class waits for nothing that trains. */
async function decoderOf(
  { graph }: PackedModel,
  house: House,
): Promise<{ decode: Decoder; tell: AnswerReader['tell'] }> {
  if (graph.task.id === classification.id) return { decode: classification.decode, tell: tellClasses };
  const { headNamed, taskNamed } = await import('../tasks/table.ts');
  const task = taskNamed(graph.task.id, house.tasks);
  const { decode } = headNamed(task, graph.head.id);
  // names of the file may be in it
  const tell = (answer: unknown) => printableText(task.tell?.(answer, placeOf(graph)) ?? asJson(answer));
  return { decode, tell };
}

/**
 * How the answers of a packed model, or of several that vote, are read.
 *
 * @param top classes of a classification
 * @throws UsageError for a task that is not known
 */
export async function answerReader(
  model: PackedModel | PackedEnsemble,
  house: House,
  top: number,
): Promise<AnswerReader> {
  // an ensemble votes on classes
  if (!(model instanceof PackedModel))
    return { key: 'predictions', answerTo: (pixels) => model.predict(pixels, top)[0]!, tell: tellClasses };
  const { graph } = model;
  const { name } = graph.inputs[0]!;
  const { decode, tell } = await decoderOf(model, house);
  return {
    key: graph.task.id === classification.id ? 'predictions' : 'answer',
    answerTo: (pixels) => decode(model.runAll({ [name]: model.normalise(pixels) }), placeOf(graph), { top }),
    tell,
  };
}
