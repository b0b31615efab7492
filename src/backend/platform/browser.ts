import type { NativeAddon } from '../native/addon.ts';

/** Browsers have no addons. */
export function loadAddon(): NativeAddon | Error {
  return new Error('native kernels need Node.js');
}

/** Files cannot be read synchronously here: call `loadWasm` first. */
export function readWasm(_file: string): Uint8Array<ArrayBuffer> | null {
  return null;
}

export function environmentVariable(_name: string): string | undefined {
  return undefined;
}
