import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { nodePort, nodeThread } from './node-worker.ts';
import type { Ears, Port, Thread } from './threads.ts';

/**
 * Starts a module as a thread: the built file, or, when this module itself runs from TypeScript (tests, bench), its source through tsx.
 *
 * @param url of the built file, `.js`
 */
export function startModule(url: URL, workerData: unknown, options: WorkerOptions = {}): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(url, { ...options, workerData });
  // found from here, not from the working folder
  const tsx = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const [api, source] = [pathToFileURL(tsx).href, url.href.replace(/\.js$/, '.ts')].map((href) => JSON.stringify(href));
  return new Worker(`import(${api}).then(({ register }) => { register(); return import(${source}); })`, {
    ...options,
    eval: true,
    workerData,
  });
}

/** Threads can be started here. */
export const hasThreads = (): boolean => true;

let spoken = false;

/** Starts the thread that `runtime/workers/serve.ts` serves in. */
export function startThread(ears: Ears): Thread {
  const here = import.meta.url.endsWith('.ts');
  const module = here ? '../../runtime/workers/thread.js' : '../bundle/node-worker.js';
  // flags of this process, such as --input-type or --eval, would be taken for the thread's
  const execArgv = here ? ['--conditions=signum-source'] : [];
  const workerData = { speaks: !spoken };
  spoken = true;
  return nodeThread(startModule(new URL(module, import.meta.url), workerData, { execArgv }), ears);
}

export const ownPort = (): Port => nodePort(parentPort!);

/** Lets timers and input have their turn. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A copy in memory that all threads see. */
export function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
