import type { Worker } from 'node:worker_threads';
import { DataError } from '../core/errors.ts';
import { type Batch, Batches, type BatchStorage, type Normalised, type Pass } from './batches.ts';
import type { DataSet, FileSplit, Split } from './dataset.ts';
import { startThread } from './thread.ts';

/** Hands out the batches of a pass in order; the same bits whether they are made here or in the background. */
export interface Loader {
  /** Starts a pass; one that was not finished is left. */
  begin(pass: Pass): void;
  /** The next batch of the pass; valid until the next call. */
  next(): Promise<Batch>;
  /** Ends the thread, if there is one; afterwards no batch can be had. */
  close(): void;
}

/** What the worker is told at its start. Pixels lie in shared memory, so nothing is copied. */
export interface LoaderStart {
  readonly data: Normalised;
  readonly split: Split;
  /** Files that cannot be decoded are told of and left out, not an error. */
  readonly notesBroken: boolean;
  readonly batch: number;
  /** In shared memory. */
  readonly slots: readonly BatchStorage[];
}

export type LoaderRequest =
  | { readonly kind: 'pass'; readonly pass: Pass; readonly generation: number }
  | { readonly kind: 'fill'; readonly slot: number; readonly index: number; readonly generation: number };

export type LoaderReply =
  | { readonly kind: 'filled'; readonly generation: number; readonly slot: number; readonly count: number }
  | { readonly kind: 'broken'; readonly name: string; readonly reason: string };

/** Batches being made or ready while one is trained on. */
const ahead = 3;

/** Below this many bytes of pixels an epoch is over before a thread has started. */
const smallSplit = 8 << 20;

class InPlaceLoader implements Loader {
  private readonly batches: Batches;
  private pass: Pass | null = null;
  private index = 0;

  constructor(data: DataSet, split: Split, batch: number) {
    this.batches = new Batches(data, split, batch);
  }

  begin(pass: Pass): void {
    this.pass = pass;
    this.index = pass.first;
  }

  next(): Promise<Batch> {
    return this.batches.shuffled(this.pass!, this.index++);
  }

  close(): void {
    this.pass = null;
  }
}

/** Assembles batches in a worker thread, `ahead` of the training, into a ring of shared slots. */
export class BackgroundLoader implements Loader {
  private readonly worker: Worker;
  private readonly slots: BatchStorage[];
  private readonly batch: number;
  private readonly size: number;
  private generation = 0;
  private requested = 0;
  private taken = 0;
  private last = 0;
  private mixes = false;
  private readonly ready = new Map<number, number>();
  private waiting: (() => void) | null = null;
  private failure: Error | null = null;

  constructor(data: DataSet, split: Split, batch: number) {
    this.batch = batch;
    this.size = data.shape.reduce((a, b) => a * b, 1);
    this.slots = Array.from({ length: ahead + 1 }, () => ({
      images: new Float32Array(new SharedArrayBuffer(4 * batch * this.size)),
      labels: new Uint16Array(new SharedArrayBuffer(2 * batch)),
      places: new Uint32Array(new SharedArrayBuffer(4 * batch)),
      mixture: {
        labels: new Uint16Array(new SharedArrayBuffer(2 * batch)),
        shares: new Float32Array(new SharedArrayBuffer(4 * batch)),
      },
    }));
    const { shape, mean, std } = data;
    const { broken, ...plain } = 'files' in split ? split : { ...split, broken: undefined };
    const workerData: LoaderStart = {
      data: { shape, mean, std },
      split: plain,
      notesBroken: broken !== undefined,
      batch,
      slots: this.slots,
    };
    this.worker = startThread(new URL('./loader-worker.js', import.meta.url), workerData);
    this.worker.unref();
    this.worker.on('message', (reply: LoaderReply) => {
      if (reply.kind === 'broken') this.note(broken!, reply);
      else if (reply.generation === this.generation) {
        this.ready.set(reply.slot, reply.count);
        this.wake();
      }
    });
    this.worker.on('error', (error: Error) =>
      this.fail(new DataError(`the background loader failed: ${error.message}`)),
    );
  }

  begin(pass: Pass): void {
    this.generation++;
    this.ready.clear();
    this.requested = this.taken = pass.first;
    this.mixes = Boolean(pass.augmentation.mixup);
    this.last = Math.ceil(pass.order.length / this.batch);
    this.send({ kind: 'pass', pass, generation: this.generation });
    this.fillFreeSlots();
  }

  async next(): Promise<Batch> {
    // the batch handed out before is done with: its slot may be filled again
    this.fillFreeSlots();
    const slot = this.taken % this.slots.length;
    // a waiting reader keeps the process alive, an idle loader does not
    this.worker.ref();
    while (!this.ready.has(slot) && !this.failure)
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    this.worker.unref();
    if (this.failure) throw this.failure;
    const count = this.ready.get(slot)!;
    this.ready.delete(slot);
    this.taken++;
    const { images, labels, places, mixture } = this.slots[slot]!;
    return {
      images: images.subarray(0, count * this.size),
      labels: labels.subarray(0, count),
      places: places.subarray(0, count),
      count,
      ...(this.mixes
        ? { mixture: { labels: mixture!.labels.subarray(0, count), shares: mixture!.shares.subarray(0, count) } }
        : {}),
    };
  }

  close(): void {
    void this.worker.terminate();
  }

  private fillFreeSlots(): void {
    for (; this.requested < Math.min(this.last, this.taken + this.slots.length); this.requested++)
      this.send({
        kind: 'fill',
        slot: this.requested % this.slots.length,
        index: this.requested,
        generation: this.generation,
      });
  }

  private send(request: LoaderRequest): void {
    this.worker.postMessage(request);
  }

  private note(broken: NonNullable<FileSplit['broken']>, { name, reason }: { name: string; reason: string }): void {
    try {
      broken.add(name, reason);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = null;
  }
}

/** A loader for a split: in the background when the split is large enough, or slow enough, to gain by it. */
export function openLoader(data: DataSet, split: Split, batch: number): Loader {
  return 'pixels' in split && split.pixels.byteLength < smallSplit
    ? new InPlaceLoader(data, split, batch)
    : new BackgroundLoader(data, split, batch);
}
