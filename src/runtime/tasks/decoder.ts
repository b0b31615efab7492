import type { PackedGraph } from '../graph.ts';

/** What a network says by the names of its outputs, as plain arrays: of one image, or of a batch one image after the other. */
export type Answers = Readonly<Record<string, Float32Array>>;

/** What answers are about. */
export interface AnswerPlace {
  /** [H,W,C] of the input. */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
  /** What the head was built with. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What the answer to one image means, on plain arrays: trained networks, packed ones and pages call the same function. @param options of the application, such as how many classes */
export type Decoder<Answer = unknown> = (
  outputs: Answers,
  place: AnswerPlace,
  options: Readonly<Record<string, unknown>>,
) => Answer;

/** The decode half of a task: what `load(…, { tasks })` takes. */
export interface TaskDecoder<Answer = unknown> {
  /** Of the task, as files name it. */
  readonly id: string;
  readonly decode: Decoder<Answer>;
}

/** A decoder as a value, checked by the compiler. */
export const defineDecoder = <Answer>(decoder: TaskDecoder<Answer>): TaskDecoder<Answer> => decoder;

/** What of a batch is the answer to image number `i` of `count`. */
export const answerTo = (answers: Answers, i: number, count: number): Answers =>
  Object.fromEntries(
    Object.entries(answers).map(([name, { length }]) => [
      name,
      answers[name]!.subarray((i * length) / count, ((i + 1) * length) / count),
    ]),
  );

/** What a packed network's answers are about. */
export const placeOf = ({ input, classes, head }: PackedGraph): AnswerPlace => ({
  shape: input,
  classes,
  settings: head.settings,
});
