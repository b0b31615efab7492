import type { Ears, Thread } from './threads.ts';
import { webThread } from './web-threads.ts';

// a file of its own, which the worker's script does not reach: bundlers would make a worker in the worker in the worker
/** Bundlers make a file of the module and rewrite its address only when they read exactly `new Worker(new URL('...', import.meta.url), ...)`. */
export function startThread(ears: Ears): Thread {
  return webThread(
    new Worker(new URL('../bundle/browser-worker.js', import.meta.url), { type: 'module', name: 'signum' }),
    ears,
  );
}
