import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a module as a thread: the built file, or, when this module itself runs from TypeScript (tests, bench), its source through tsx.
 *
 * @param url of the built file, `.js`
 */
export function startThread(url: URL, workerData: unknown, options: WorkerOptions = {}): Worker {
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
