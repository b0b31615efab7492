import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { isMainThread, workerData } from 'node:worker_threads';
import type { Kernels } from '../kernels.ts';
import { referenceKernels } from '../reference/index.ts';
import { type WasmBuild, wasmFiles } from '../wasm/features.ts';
import { bytesFrom } from './bytes-from.ts';

export { addonSource, loadAddon } from './addon-file.ts';
export { checkThreads, environmentVariable } from './environment.ts';
export { decodePicture } from './node-pictures.ts';
export { hasThreads, ownPort, pause, shared } from './node-threads.ts';
export { zooFolder, zooFolders } from './zoo-folders.ts';

/** Bundlers copy the files and rewrite their addresses only when they read exactly `new URL('...', import.meta.url)`. */
export function wasmSource(build: WasmBuild): URL {
  return build === 'relaxed'
    ? new URL('../wasm/signum-relaxed.wasm', import.meta.url)
    : new URL('../wasm/signum.wasm', import.meta.url);
}

/** The bytes of a .wasm file, or why they cannot be read: a bundle may have left it behind. */
export function readWasm(build: WasmBuild): Uint8Array<ArrayBuffer> | Error {
  try {
    return new Uint8Array(readFileSync(wasmSource(build)));
  } catch {
    return new Error(
      `${wasmFiles[build]} is not beside this script: keep signum-bnn out of the bundle, or import 'signum-bnn/runtime/inline' (docs/bundlers.md)`,
    );
  }
}

/** Reads a file's path or `file:` address, or fetches. */
export async function bytesAt(address: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  // two letters at least: `C:` is a drive
  const url = /^[a-z]{2,}:/i.test(address) ? new URL(address) : pathToFileURL(address);
  return url.protocol === 'file:' ? new Uint8Array(await readFile(url, { signal })) : bytesFrom(url.href, signal);
}

/** Here a slow answer is better than none, as long as it is said. */
export const slowKernels = (): Kernels | Error => referenceKernels;

/** The command line runs long commands in a thread of their own, which speaks in its place. */
const speaks = isMainThread || (workerData as { speaks?: boolean } | null)?.speaks === true;

/** Tells the person at the terminal; threads leave it to the one that speaks. */
export function notice(message: string): void {
  if (speaks) process.stderr.write(`signum: ${message}\n`);
}
