import { hasThreads, shared } from '#platform';
import { chosenBackend } from '../../backend/select.ts';
import { moduleForThreads } from '../../backend/wasm/load.ts';
import { UsageError, WorkerError } from '../../core/errors.ts';
import type { ExecutedModel, Executor, InputValues, ModelLimits } from '../executor.ts';
import { isPackedOp } from '../ops/all.ts';
import type { LoadAnswer } from './messages.ts';
import { Request } from './request.ts';
import { PoolWorker } from './worker.ts';

/** Threads of a pool. */
export interface ThreadOptions {
  /** How many batches are computed at once; default 1. */
  readonly threads?: number | undefined;
}

interface LoadedFile {
  readonly file: Uint8Array;
  readonly limits: ModelLimits;
}

const mostThreads = 1024;

/** Threads that run models, each one batch at a time; the next free one takes the batch that waits longest. */
class ThreadPool implements Executor {
  readonly id = 'threads';
  private readonly size: number;
  private readonly workers = new Set<PoolWorker>();
  private readonly idle: PoolWorker[] = [];
  private readonly queue: Request[] = [];
  private readonly files = new Map<number, LoadedFile>();
  private wasm: WebAssembly.Module | undefined;
  private models = 0;
  private disposed = false;

  constructor(size: number) {
    this.size = size;
  }

  supports(op: string): boolean {
    return isPackedOp(op);
  }

  private refuseDisposed(): void {
    if (this.disposed) throw new UsageError('this executor was disposed of: make another, or load the model again');
  }

  /** Starts a thread with all models. @returns what it says of each */
  private add(): ReadonlyMap<number, Promise<unknown>> {
    const worker = new PoolWorker((ended) => this.ended(ended));
    this.workers.add(worker);
    const begun = worker.ask({ kind: 'start', backend: chosenBackend(), wasm: this.wasm, left: worker.left });
    const load = ([model, { file, limits }]: [number, LoadedFile]) =>
      [model, begun.then(() => worker.ask({ kind: 'load', model, file, limits }))] as const;
    const loads = new Map([...this.files].map(load));
    Promise.allSettled(loads.values())
      .then(() => begun)
      .then(
        () => this.free(worker),
        (problem: Error) => this.fail(worker, problem),
      );
    return loads;
  }

  private free(worker: PoolWorker): void {
    if (!this.workers.has(worker)) return;
    this.idle.push(worker);
    this.dispatch();
  }

  /** A thread that ran gets a successor. */
  private ended(worker: PoolWorker): void {
    this.forget(worker);
    if (worker.started && !this.disposed && this.files.size > 0) this.add();
  }

  /** One that could not start gets none; where it was the last, nobody will answer what waits. */
  private fail(worker: PoolWorker, problem: Error): void {
    worker.end(problem);
    this.forget(worker);
    if (this.workers.size === 0) for (const request of this.queue.splice(0)) request.reject(problem);
  }

  private forget(worker: PoolWorker): void {
    this.workers.delete(worker);
    const place = this.idle.indexOf(worker);
    if (place >= 0) this.idle.splice(place, 1);
  }

  private dispatch(): void {
    while (this.queue.length > 0 && this.idle.length > 0) {
      const [request, worker] = [this.queue.shift()!, this.idle.pop()!];
      request
        .send(worker)
        .then(request.resolve, request.reject)
        .then(() => this.free(worker));
    }
  }

  async load(file: Uint8Array, limits: ModelLimits = {}): Promise<ExecutedModel> {
    this.refuseDisposed();
    this.wasm = await moduleForThreads();
    this.refuseDisposed();
    const [model, loaded] = [this.models++, { file: shared(file), limits }];
    const answers = [...this.workers].map((worker) => worker.ask({ kind: 'load', model, ...loaded }));
    this.files.set(model, loaded);
    while (this.workers.size < this.size) answers.push(this.add().get(model)!);
    const drop = () => {
      this.files.delete(model);
      for (const worker of this.workers) worker.tell({ kind: 'drop', model });
    };
    try {
      const [answer] = (await Promise.all(answers)) as [LoadAnswer];
      return new ThreadModel(answer, (inputs, signal) => this.run(model, inputs, signal), drop);
    } catch (error) {
      drop();
      throw error;
    }
  }

  private run(model: number, inputs: readonly InputValues[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    this.refuseDisposed();
    signal?.throwIfAborted();
    const request = new Request(model, inputs);
    this.queue.push(request);
    const leave = () => {
      const place = this.queue.indexOf(request);
      if (place >= 0) this.queue.splice(place, 1);
      request.leave(signal!.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    if (this.workers.size === 0) this.add();
    this.dispatch();
    return request.promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const problem = new UsageError('the model was disposed of before it answered');
    for (const request of this.queue.splice(0)) request.reject(problem);
    for (const worker of this.workers) worker.end(problem);
    this.workers.clear();
    this.idle.length = 0;
    this.files.clear();
  }
}

class ThreadModel implements ExecutedModel {
  readonly graph: ExecutedModel['graph'];
  readonly memory: ExecutedModel['memory'];
  readonly proof: ExecutedModel['proof'];
  private readonly compute: ExecutedModel['run'];
  private readonly drop: () => void;
  private readonly end = new AbortController();

  constructor({ graph, memory, proof }: LoadAnswer, compute: ExecutedModel['run'], drop: () => void) {
    this.graph = graph;
    this.memory = memory;
    this.proof = proof;
    this.compute = compute;
    this.drop = drop;
  }

  async run(inputs: readonly InputValues[], signal?: AbortSignal): Promise<Float32Array[]> {
    const ended = this.end.signal;
    if (ended.aborted) throw new UsageError('run: this model was disposed of; load it again');
    return this.compute(inputs, signal ? AbortSignal.any([signal, ended]) : ended);
  }

  dispose(): void {
    if (this.end.signal.aborted) return;
    this.end.abort(new UsageError('the model was disposed of before it answered'));
    this.drop();
  }
}

/**
 * Runs models on threads of its own, so that the calling one stays free: worker_threads in Node.js, web workers in a page. Several models may
 * share it; each thread holds all of them. The pool alone does not keep a process alive.
 *
 * @param options threads: how many batches are computed at once; default 1
 * @throws UsageError for another number of threads, and where there are none
 */
export function threadExecutor({ threads = 1 }: ThreadOptions = {}): Executor {
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads)
    throw new UsageError(`threadExecutor: ${threads} threads; expected a whole number from 1 to ${mostThreads}`);
  if (!hasThreads()) throw new WorkerError('there are no workers here', false);
  return new ThreadPool(threads);
}
