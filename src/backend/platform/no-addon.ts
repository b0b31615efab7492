import { UsageError } from '../../core/errors.ts';
import { quoted } from '../../core/printable.ts';
import type { Kernels } from '../kernels.ts';
import type { AddonSource, NativeAddon } from '../native/addon.ts';

/** Browsers have no addons. */
export function loadAddon(): NativeAddon | Error {
  return new Error('native kernels need Node.js');
}

/** A page would wait minutes for the reference kernels: it does not load them. */
export const slowKernels = (): Kernels | Error =>
  new Error(
    'the reference kernels are not part of what a page loads; WebAssembly kernels are thousands of times faster',
  );

export function environmentVariable(_name: string): string | undefined {
  return undefined;
}

export function addonSource(): AddonSource | null {
  return null;
}

export const checkThreads = (): void => {};

/** A page has no folders to look in. */
export function zooFolder(id: string): string {
  throw new UsageError(
    `${quoted(`zoo:${id}`)}: a page loads a network by its address: import address from '@signum-bnn/zoo/${id}', then load(address) (docs/bundlers.md)`,
  );
}

/** WebAssembly is the best a page can have: nothing to tell. */
export function notice(_message: string): void {}
