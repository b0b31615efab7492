import { loadAddon } from '#platform';
import { bindFlatKernels } from '../flat-kernels.ts';
import type { Kernels } from '../kernels.ts';
import type { InstructionSet, NativeAddon } from './addon.ts';

let addon: NativeAddon | Error | undefined;

/** The addon, loaded once; an Error says why there is none. */
export function nativeAddon(): NativeAddon | Error {
  addon ??= loadAddon();
  return addon;
}

/** Native kernels on the best (or the given) instruction set, or null where the addon is not built. */
export function nativeKernels(instructionSet?: InstructionSet): Kernels | null {
  const native = nativeAddon();
  if (native instanceof Error) return null;
  const chosen = instructionSet ?? native.instructionSets()[0]!;
  return bindFlatKernels('native', chosen, native.kernels(chosen));
}
