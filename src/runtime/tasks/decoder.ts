import type { PackedGraph } from '../graph.ts';

/** The decode half of a task: a network's outputs as answers, on plain arrays. */
export interface TaskDecoder<Answer = unknown> {
  /** Of the task, as files name it. */
  readonly id: string;
  /**
   * The answer for one picture.
   *
   * @param outputs all outputs of the graph for it, in the graph's order
   * @param graph whose task and head say their settings
   * @param options of the application, such as how many classes
   */
  decode(outputs: readonly Float32Array[], graph: PackedGraph, options: Readonly<Record<string, unknown>>): Answer;
}
