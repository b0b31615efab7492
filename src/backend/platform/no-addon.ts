import type { AddonSource, NativeAddon } from '../native/addon.ts';

/** Browsers have no addons. */
export function loadAddon(): NativeAddon | Error {
  return new Error('native kernels need Node.js');
}

/** A page would wait minutes for the reference kernels: it has to ask for them. */
export const offersReference = false;

export function environmentVariable(_name: string): string | undefined {
  return undefined;
}

export function addonSource(): AddonSource | null {
  return null;
}

/** A page has no folders to look in. */
export const zooFolders: (() => ReadonlyMap<string, string> | null) | null = null;

/** WebAssembly is the best a page can have: nothing to tell. */
export function notice(_message: string): void {}
