import { UsageError } from '../core/errors.ts';
import { listed, quoted } from '../core/printable.ts';
import type { PackedGraph } from './graph.ts';
import type { MemoryNeed } from './memory.ts';
import type { Proof } from './proof.ts';

/** A batch for one input of a network: pixels 0..255, which become floats as in training, or floats as they are. */
export type InputValues = Uint8Array | Float32Array;

/** What a model may take. */
export interface ModelLimits {
  /** What it may allocate to run one image, in bytes; default 2^30 (1 GiB). */
  readonly maxBytes?: number | undefined;
}

/** A packed network where an executor runs it. */
export interface ExecutedModel {
  readonly graph: PackedGraph;
  readonly memory: MemoryNeed;
  readonly proof: Proof | null;
  /**
   * All outputs for a batch, in the graph's order.
   *
   * @param inputs a batch for each input of the graph, in its order; unchanged until the promise settles
   * @returns arrays that are the caller's
   * @throws ShapeError when a length is not a multiple of one image; the signal's reason when it is aborted
   */
  run(inputs: readonly InputValues[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Frees what the model takes; later calls are refused. */
  dispose(): void;
}

/**
 * Where packed networks run: this thread, others, another kind of processor. Loading and running are asynchronous, as some of these can be
 * nothing else.
 */
export interface Executor {
  readonly id: string;
  /** Whether it runs an op of this name; it need not run all. */
  supports(op: string): boolean;
  /**
   * Makes a model ready to run.
   *
   * @param file the bytes of a packed model; it is not kept unless shared
   * @throws FormatError for damaged or foreign files, and for models that need more than they may
   */
  load(file: Uint8Array, limits?: ModelLimits): Promise<ExecutedModel>;
  /** Ends all its models. */
  dispose(): void;
}

/**
 * The first executor that runs every op.
 *
 * @throws UsageError naming what each does not run
 */
export function executorFor(ops: ReadonlySet<string>, executors: readonly Executor[]): Executor {
  const found = executors.find((executor) => [...ops].every((op) => executor.supports(op)));
  if (found) return found;
  const lacks = executors.map(
    (executor) => `${quoted(executor.id)} does not run ${listed([...ops].filter((op) => !executor.supports(op)))}`,
  );
  throw new UsageError(
    `no executor runs all ops of this model: ${lacks.join('; ') || 'none was given'}. Give one that does after the others, such as cpuExecutor()`,
  );
}
