import { gunzipSync } from 'fflate';
import { ranges, zipped } from '#wasm-builds';
import type { WasmBuild } from '../wasm/features.ts';

// the platform of `signum-bnn/runtime/inline`: a browser's, but with the WebAssembly kernels in the script itself
export { bytesFrom as bytesAt } from './bytes-from.ts';
export * from './no-addon.ts';

export function readWasm(build: WasmBuild): Uint8Array<ArrayBuffer> {
  const bytes = gunzipSync(Uint8Array.from(atob(zipped), (character) => character.charCodeAt(0)));
  return new Uint8Array(bytes).slice(...ranges[build]);
}

export const wasmSource = readWasm;
