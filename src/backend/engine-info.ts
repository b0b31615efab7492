import { addonSource } from '#platform';
import type { AddonSource } from './native/addon.ts';
import { nativeAddon } from './native/binding.ts';
import { type BackendName, kernels, threads } from './select.ts';

/** What computes here. */
export interface EngineInfo {
  readonly backend: BackendName;
  readonly instructionSet: string;
  readonly threads: number;
  readonly addon: {
    readonly source: AddonSource | null;
    /** Why the native addon is not in use; null when it is. */
    readonly reason: string | null;
  };
}

/** Chooses the backend as the first kernel would, and tells which it is and why no faster one. */
export function engineInfo(): EngineInfo {
  const { name, detail } = kernels();
  const native = nativeAddon();
  const isNative = name === 'native';
  const reason = native instanceof Error ? native.message : isNative ? null : `another backend was asked for: ${name}`;
  return {
    backend: name,
    instructionSet: detail,
    threads: isNative ? threads() : 1,
    addon: { source: addonSource(), reason },
  };
}

/** Which instructions this processor would need for faster native kernels; null when it has the fastest. */
export function missingInstructions({ backend, instructionSet }: EngineInfo): string | null {
  if (backend !== 'native') return null;
  if (instructionSet === 'scalar') return 'AVX2 with FMA, AVX-512 with VPOPCNTDQ, or NEON';
  return instructionSet === 'avx2' ? 'AVX-512 with VPOPCNTDQ (Ice Lake, Zen 4 or newer)' : null;
}
