import { bytesAt, hasThreads } from '#platform';
import { type Bytes, bytesOf } from '../core/bytes.ts';
import { SignumError, UsageError, WorkerError } from '../core/errors.ts';
import { printable, reasonOf } from '../core/printable.ts';
import { sayOnce } from '../core/say-once.ts';
import { cpuExecutor } from './cpu-executor.ts';
import { type Executor, executorFor, type ModelLimits } from './executor.ts';
import type { Decode, FileLike } from './images.ts';
import { LoadedModel } from './loaded-model.ts';
import { readPackedFile } from './packed-file.ts';
import type { LoadOptions } from './packed-model.ts';
import type { TaskDecoder } from './tasks/decoder.ts';
import { threadExecutor } from './workers/pool.ts';
import { isZooName, zooFolder } from './zoo.ts';

/** A packed model: its file's path or address, `zoo:<network>`, the file's bytes, or what holds them (`Response`, `Blob`). */
export type ModelSource = string | URL | Bytes | FileLike;

/** Where a model computes, and what it may take. */
export interface ModelOptions extends LoadOptions {
  /**
   * Computes on threads of its own: `true` one, a number so many (a server's pool). `false` computes on the calling thread. Default: one thread
   * where there are workers, else the calling one, which is said; the calling one too with `kernels` or `ops`, which are functions.
   */
  readonly worker?: boolean | number | undefined;
  /** In their place: executors made elsewhere, which models may share; the first that runs every op is taken. They outlive the model. */
  readonly executor?: Executor | readonly Executor[] | undefined;
  /** Decodes picture files; default: sharp in Node.js, the page in pages. */
  readonly decode?: Decode | undefined;
  /** Decoders of tasks beside classification, by which `predict` answers. */
  readonly tasks?: readonly TaskDecoder[] | undefined;
  /** Ends the wait for the file. */
  readonly signal?: AbortSignal | undefined;
}

// not instanceof: an address of another frame has another constructor
const isAddress = (source: ModelSource): source is string | URL =>
  typeof source === 'string' || (typeof source === 'object' && source !== null && 'href' in source);
const isFileLike = (source: ModelSource): source is FileLike =>
  typeof source === 'object' && source !== null && 'arrayBuffer' in source;

async function bytesOfAddress(source: string | URL, signal: AbortSignal | undefined): Promise<Bytes> {
  const address = typeof source === 'string' && isZooName(source) ? `${zooFolder(source)}/model.safetensors` : source;
  try {
    return await bytesAt(`${address}`, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SignumError) throw error;
    throw new UsageError(
      `cannot load ${printable(`${source}`)} (${reasonOf(error)}); expected a path, an address, zoo:<network> (\`signum zoo\` lists them), or the bytes of a packed model`,
    );
  }
}

async function bytesOfSource(source: ModelSource, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (isAddress(source)) return bytesOf(await bytesOfAddress(source, signal), 'load');
  if (!isFileLike(source)) return bytesOf(source, 'load');
  const { ok, status, url } = source as Partial<Response>;
  if (ok === false)
    throw new UsageError(`cannot load ${printable(url || 'the response')} (HTTP ${status}); expected a packed model`);
  return new Uint8Array(await source.arrayBuffer());
}

/** @throws UsageError for options that contradict one another */
function ownExecutor({ worker, kernels, ops }: ModelOptions): Executor {
  const functions = kernels ? 'kernels' : ops ? 'ops' : null;
  if (functions && worker)
    throw new UsageError(
      `load: ${functions} are functions, which no thread can be given; leave out worker, or ${functions}`,
    );
  const here = worker === false || worker === 0 || (worker === undefined && (functions || !hasThreads()));
  if (here) return cpuExecutor({ kernels, ops });
  return threadExecutor({ threads: worker === undefined || worker === true ? 1 : worker });
}

/**
 * Loads a packed model from wherever it lies, to run off the calling thread. In a page this loads the WebAssembly kernels too.
 *
 * @param source path (Node.js), address, `zoo:<network>` (Node.js with the package @signum-bnn/zoo), the bytes of the file, a `Response` or `Blob`
 * @throws UsageError when there is nothing to be had, FormatError for damaged or foreign files, WorkerError when a thread was asked for and none
 *   could be started, the signal's reason when it is aborted
 */
export async function load(source: ModelSource, options: ModelOptions = {}): Promise<LoadedModel> {
  const { executor, decode, tasks, signal, maxBytes, worker } = options;
  const limits: ModelLimits = { maxBytes };
  signal?.throwIfAborted();
  const file = await bytesOfSource(source, signal);
  signal?.throwIfAborted();
  if (executor) {
    const all = Array.isArray(executor) ? (executor as readonly Executor[]) : [executor as Executor];
    const ops = new Set(readPackedFile(file, options.ops).graph.nodes.map(({ op }) => op));
    return new LoadedModel(await executorFor(ops, all).load(file, limits), { decode, tasks });
  }
  const place = async (own: Executor): Promise<LoadedModel> => {
    try {
      const model = new LoadedModel(await own.load(file, limits), { own, decode, tasks });
      signal?.throwIfAborted();
      return model;
    } catch (error) {
      own.dispose();
      throw error;
    }
  };
  try {
    return await place(ownExecutor(options));
  } catch (error) {
    if (worker !== undefined || !(error instanceof WorkerError) || error.started) throw error;
    sayOnce(`signum: models compute on the calling thread, which hears nothing else meanwhile: ${error.message}`);
    return place(cpuExecutor());
  }
}
