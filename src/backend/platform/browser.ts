import type { WasmBuild } from '../wasm/features.ts';

export { bytesFrom as bytesAt } from './bytes-from.ts';
export * from './no-addon.ts';
export { decodePicture } from './web-pictures.ts';
export { pause, shared, webPort as ownPort } from './web-threads.ts';

/** Files cannot be read synchronously here. */
export function readWasm(_build: WasmBuild): Uint8Array<ArrayBuffer> | Error {
  return new Error('the WebAssembly kernels are not loaded: call `await loadWasm()` before loading a model');
}

/** Bundlers copy the files and rewrite their addresses only when they read exactly `new URL('...', import.meta.url)`. */
export function wasmSource(build: WasmBuild): URL {
  return build === 'relaxed'
    ? new URL('../wasm/signum-relaxed.wasm', import.meta.url)
    : new URL('../wasm/signum.wasm', import.meta.url);
}

/** Workers cannot always start workers, and some places have none. */
export const hasThreads = (): boolean => typeof Worker !== 'undefined';
