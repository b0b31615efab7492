import type { BackendName } from '../../backend/select.ts';
import { DataError, FormatError, ShapeError, SignumError, UsageError, WorkerError } from '../../core/errors.ts';
import type { ExecutedModel, InputValues, ModelLimits } from '../executor.ts';

/** What a thread computes with. */
export interface ThreadStart {
  readonly kind: 'start';
  readonly number: number;
  /** Chosen by `useBackend`; absent: the fastest. */
  readonly backend: BackendName | undefined;
  /** A page's kernels, compiled; absent where threads find their own. */
  readonly wasm: WebAssembly.Module | undefined;
  /** In shared memory, where there is some: 1 when nobody waits for the answer to the present run any more. */
  readonly left: Int32Array | null;
}

/** What a thread is told. Those with a number get one reply. */
export type ThreadMessage =
  | ThreadStart
  | {
      readonly kind: 'load';
      readonly number: number;
      readonly model: number;
      readonly file: Uint8Array;
      readonly limits: ModelLimits;
    }
  | {
      readonly kind: 'piece';
      readonly input: number;
      readonly length: number;
      readonly at: number;
      readonly values: InputValues;
    }
  | {
      readonly kind: 'run';
      readonly number: number;
      readonly model: number;
      /** null: it came in pieces. */
      readonly inputs: readonly (InputValues | null)[];
    }
  | { readonly kind: 'drop'; readonly model: number };

export type LoadAnswer = Pick<ExecutedModel, 'graph' | 'memory' | 'proof'>;

export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly number: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly number: number; readonly error: SentError };

/** An error on its way between threads: classes do not survive the copy. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

const classes: Readonly<Record<string, new (message: string) => Error>> = {
  SignumError,
  ShapeError,
  DataError,
  FormatError,
  UsageError,
  WorkerError,
  RangeError,
  TypeError,
};

export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack } = error;
  return { name, message, stack };
}

/** The same error in this thread, with the stack of the other. */
export function receivedError({ name, message, stack }: SentError): Error {
  const error = new (Object.hasOwn(classes, name) ? classes[name]! : Error)(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
