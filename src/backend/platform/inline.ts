import { gunzipSync } from 'fflate';
import { ranges, zipped } from '#wasm-builds';
import type { WasmBuild } from '../wasm/features.ts';
import { nodePort, nodeThread } from './node-worker.ts';
import type { Ears, Port, Thread } from './threads.ts';
import { webPort, webThread } from './web-threads.ts';

// the platform of `signum-bnn/runtime/inline`: a browser's, but with the WebAssembly kernels in the script itself
export { bytesFrom as bytesAt } from './bytes-from.ts';
export * from './no-addon.ts';
export { decodePicture } from './web-pictures.ts';
export { pause, shared } from './web-threads.ts';

export function readWasm(build: WasmBuild): Uint8Array<ArrayBuffer> {
  const bytes = gunzipSync(Uint8Array.from(atob(zipped), (character) => character.charCodeAt(0)));
  return new Uint8Array(bytes).slice(...ranges[build]);
}

export const wasmSource = readWasm;

/** The function around this whole script (scripts/bundle-runtime.mjs): its text is the worker's, so that nothing is loaded or held twice. */
declare const signumRuntime: () => unknown;
const workerText = () => `const runtime = (${signumRuntime})(); runtime.serve(runtime.ownPort());`;

/** Node.js, where a server's bundle came to: without an import, which bundlers for pages would follow. */
const threadsOfNode = () =>
  (
    globalThis.process as
      | { getBuiltinModule?(id: string): typeof import('node:worker_threads') | undefined }
      | undefined
  )?.getBuiltinModule?.('node:worker_threads');

export const hasThreads = (): boolean => typeof Worker !== 'undefined' || threadsOfNode() !== undefined;

export function startThread(ears: Ears): Thread {
  const ofNode = threadsOfNode();
  if (ofNode) return nodeThread(new ofNode.Worker(workerText(), { eval: true, execArgv: [] }), ears);
  const address = URL.createObjectURL(new Blob([workerText()], { type: 'text/javascript' }));
  try {
    return webThread(new Worker(address, { name: 'signum' }), ears);
  } finally {
    // the worker has begun to load it
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

export function ownPort(): Port {
  const port = threadsOfNode()?.parentPort;
  return port ? nodePort(port) : webPort();
}
