import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeAddon } from '../native/addon.ts';

/** The compiled addon, or the reason why there is none. */
export function loadAddon(): NativeAddon | Error {
  try {
    const require = createRequire(import.meta.url);
    const load = require('node-gyp-build') as (directory: string) => NativeAddon;
    return load(fileURLToPath(new URL('../../../', import.meta.url)));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The bytes of a .wasm file beside this module's backend folder. */
export function readWasm(file: string): Uint8Array<ArrayBuffer> | null {
  const bytes = readFileSync(new URL(`../wasm/${file}`, import.meta.url));
  return new Uint8Array(bytes);
}

export function environmentVariable(name: string): string | undefined {
  return process.env[name];
}
