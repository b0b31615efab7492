import type { Worker } from 'node:worker_threads';
import { startModule } from '../backend/platform/node-threads.ts';
import { DataError } from '../core/errors.ts';
import { type Batch, Batches, type BatchStorage, type Normalised, type Pass, partnersOf } from './batches.ts';
import type { FileSplit, Split } from './dataset.ts';
import { type Column, columnsOf, inSharedMemory, type Labels, type Truth, type Truths } from './truth.ts';
import { filledPart, layoutsOf, type RowLayout, roomFor } from './truth-rows.ts';
import { classTruth } from './truths/classes.ts';

/** Hands out the batches of a pass in order; the same bits whether they are made here or in the background. */
export interface Loader<T = Labels> {
  /** Starts a pass; one that was not finished is left. */
  begin(pass: Pass): void;
  /** The next batch of the pass; valid until the next call. */
  next(): Promise<Batch<T>>;
  /** Ends the thread, if there is one; afterwards no batch can be had. */
  close(): void;
}

/** What the worker is told at its start. Pixels lie in shared memory, so nothing is copied. */
export interface LoaderStart {
  readonly data: Normalised;
  readonly split: Split<object>;
  readonly layouts: readonly RowLayout[];
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

class InPlaceLoader<T extends Truths> implements Loader<T> {
  private readonly batches: Batches<T>;
  private pass: Pass | null = null;
  private index = 0;

  constructor(data: Normalised, split: Split<object>, batch: number, truth: Truth<T>) {
    this.batches = new Batches(data, split, batch, truth);
  }

  begin(pass: Pass): void {
    this.pass = pass;
    this.index = pass.first;
  }

  next(): Promise<Batch<T>> {
    return this.batches.shuffled(this.pass!, this.index++);
  }

  close(): void {
    this.pass = null;
  }
}

/** Assembles batches in a worker thread, `ahead` of the training, into a ring of shared slots. */
export class BackgroundLoader<T extends Truths = Labels> implements Loader<T> {
  private readonly worker: Worker;
  private readonly slots: BatchStorage[];
  private readonly layouts: readonly RowLayout[];
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

  constructor(
    data: Normalised,
    split: Split<object>,
    batch: number,
    truth: Truth<T> = classTruth as unknown as Truth<T>,
  ) {
    this.batch = batch;
    this.size = data.shape.reduce((a, b) => a * b, 1);
    const columns = Object.fromEntries(columnsOf(split).map(([name, column]) => [name, inSharedMemory(column)]));
    this.layouts = layoutsOf(truth, split, data.shape);
    this.slots = Array.from({ length: ahead + 1 }, () => ({
      images: new Float32Array(new SharedArrayBuffer(4 * batch * this.size)),
      places: new Uint32Array(new SharedArrayBuffer(4 * batch)),
      shares: new Float32Array(new SharedArrayBuffer(4 * batch)),
      truths: Object.fromEntries(
        this.layouts.map((layout) => [layout.name, roomFor(layout, columns[layout.name]!, batch)]),
      ),
    }));
    const { shape, mean, std, resize } = data;
    const { broken, ...plain } = 'files' in split ? split : { ...split, broken: undefined };
    const workerData: LoaderStart = {
      data: { shape, mean, std, ...(resize ? { resize } : {}) },
      split: { ...plain, ...columns },
      layouts: this.layouts,
      notesBroken: broken !== undefined,
      batch,
      slots: this.slots,
    };
    this.worker = startModule(new URL('./loader-worker.js', import.meta.url), workerData);
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

  async next(): Promise<Batch<T>> {
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
    const { images, places, shares, truths } = this.slots[slot]!;
    const filled = this.layouts.map((layout): [string, Column] => [
      layout.name,
      filledPart(truths[layout.name]!, layout, count),
    ]);
    return {
      images: images.subarray(0, count * this.size),
      places: places.subarray(0, count),
      count,
      ...Object.fromEntries(filled),
      ...(this.mixes ? { mixture: { partners: partnersOf(count), shares: shares.subarray(0, count) } } : {}),
    } as Batch<T>;
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

/**
 * A loader for a split: in the background when the split is large enough, or slow enough, to gain by it.
 *
 * @param truth what of the split goes into batches beside the images
 */
export function openLoader<T extends Truths = Labels>(
  data: Normalised,
  split: Split<object>,
  batch: number,
  truth: Truth<T> = classTruth as unknown as Truth<T>,
): Loader<T> {
  return 'pixels' in split && split.pixels.byteLength < smallSplit
    ? new InPlaceLoader(data, split, batch, truth)
    : new BackgroundLoader(data, split, batch, truth);
}
