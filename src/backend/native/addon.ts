import type { FlatKernels } from '../flat-kernels.ts';

export type InstructionSet = 'avx512' | 'avx2' | 'neon' | 'scalar';

/** Compiled before it was published, or on this machine. */
export type AddonSource = 'prebuilt' | 'built';

/** What kernels/native/addon.cpp exports. */
export interface NativeAddon extends FlatKernels {
  /** Those this CPU can run, best first. */
  instructionSets(): InstructionSet[];
  useInstructionSet(name: InstructionSet): void;
  /** The inner XNOR kernel without memory, for the benchmark; operations[0] receives the count. */
  xnorPeak(rounds: number, operations: Float32Array): void;
  /** Sets the number of threads when positive; returns the number in use. */
  threads(count: number): number;
}
