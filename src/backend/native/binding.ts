import { loadAddon } from '#platform';
import { bindFlatKernels, type FlatKernels } from '../flat-kernels.ts';
import type { Kernels } from '../kernels.ts';

export type InstructionSet = 'avx512' | 'avx2' | 'neon' | 'scalar';

/** What kernels/native/addon.cpp exports. */
export interface NativeAddon extends FlatKernels {
  /** Those this CPU can run, best first. */
  instructionSets(): InstructionSet[];
  useInstructionSet(name: InstructionSet): void;
  /** Sets the number of threads when positive; returns the number in use. */
  threads(count: number): number;
}

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
  native.useInstructionSet(chosen);
  return bindFlatKernels('native', chosen, native);
}
