import type { FlatKernels } from '../kernel-table.ts';

export type InstructionSet = 'avx512' | 'avx2' | 'neon' | 'scalar';

/** Compiled before it was published, or on this machine. */
export type AddonSource = 'prebuilt' | 'built';

/** The kernels compiled for one instruction set. */
export interface NativeKernels extends FlatKernels {
  /** The inner XNOR kernel without memory, for the benchmark; operations[0] receives the count. */
  xnorPeak(rounds: number, operations: Float32Array): void;
}

/** What kernels/native/addon.cpp exports: the best instruction set's kernels, and a way to those of the others. */
export interface NativeAddon extends NativeKernels {
  /** Those this CPU can run, best first. */
  instructionSets(): InstructionSet[];
  /** @throws Error when this CPU or build has no such instruction set */
  kernels(name: InstructionSet): NativeKernels;
  /** Sets the number of threads when positive; returns the number in use. */
  threads(count: number): number;
  /** Ends the process, whatever its other threads are in. */
  exitNow(status: number): never;
}
