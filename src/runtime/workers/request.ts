import { breather } from '../breather.ts';
import type { InputValues } from '../executor.ts';
import type { PoolWorker } from './worker.ts';

/** Copying this many bytes takes a fraction of a millisecond: the calling thread is never held up for longer. */
const pieceBytes = 1 << 18;

const isShared = ({ buffer }: InputValues) =>
  typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
const goesWhole = (values: InputValues) => values.byteLength <= pieceBytes || isShared(values);

// not slice: that of a Buffer copies nothing
const copied = (values: InputValues): InputValues =>
  values instanceof Float32Array ? new Float32Array(values) : new Uint8Array(values);

/** One batch on its way to a thread. */
export class Request {
  readonly promise: Promise<Float32Array[]>;
  resolve!: (outputs: Float32Array[]) => void;
  reject!: (error: unknown) => void;
  readonly model: number;
  private readonly inputs: readonly InputValues[];
  /** Of the thread that has it. */
  private left: Int32Array | null = null;

  constructor(model: number, inputs: readonly InputValues[]) {
    this.model = model;
    this.inputs = inputs;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Nobody waits any more: the thread stops at its next node. */
  leave(reason: unknown): void {
    if (this.left) Atomics.store(this.left, 0, 1);
    this.reject(reason);
  }

  /** Hands it to a thread, large inputs piece by piece with pauses, and waits for the answer. */
  async send(worker: PoolWorker): Promise<Float32Array[]> {
    this.left = worker.left;
    if (this.left) Atomics.store(this.left, 0, 0);
    const breathe = breather();
    for (const [input, values] of this.inputs.entries()) {
      if (goesWhole(values)) continue;
      const step = pieceBytes / values.BYTES_PER_ELEMENT;
      for (let at = 0; at < values.length; at += step) {
        const piece = copied(values.subarray(at, at + step));
        worker.tell({ kind: 'piece', input, length: values.length, at, values: piece }, [piece.buffer as ArrayBuffer]);
        await breathe();
      }
    }
    const inputs = this.inputs.map((values) =>
      goesWhole(values) ? (isShared(values) ? values : copied(values)) : null,
    );
    const transfer = inputs.flatMap((values) => (values && !isShared(values) ? [values.buffer as ArrayBuffer] : []));
    const { model } = this;
    return (await worker.ask({ kind: 'run', model, inputs }, transfer)) as Float32Array[];
  }
}
