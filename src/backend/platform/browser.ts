import type { WasmBuild } from '../wasm/features.ts';

export { bytesFrom as bytesAt } from './bytes-from.ts';
export * from './no-addon.ts';

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
