import { environmentVariable } from '#platform';
import { UsageError } from '../core/errors.ts';
import type { Kernels } from './kernels.ts';
import { nativeAddon, nativeKernels } from './native/binding.ts';
import { referenceKernels } from './reference/index.ts';
import { wasmKernels } from './wasm/binding.ts';

export type BackendName = Kernels['name'];

const makers: Record<BackendName, () => Kernels | null> = {
  native: nativeKernels,
  wasm: wasmKernels,
  reference: () => referenceKernels,
};
const names = ['native', 'wasm', 'reference'] as const;
let active: Kernels | undefined;

/** Every backend that works here, best first. */
export function availableBackends(): Kernels[] {
  return names.map((name) => makers[name]()).filter((kernels) => kernels !== null);
}

/**
 * Forces a backend for everything that follows.
 *
 * @throws UsageError when it is unknown or cannot run here
 */
export function useBackend(name: BackendName): Kernels {
  if (!names.includes(name)) throw new UsageError(`unknown backend "${name}": choose one of ${names.join(', ')}`);
  const kernels = makers[name]();
  if (kernels === null) {
    const reason =
      name === 'native' ? nativeAddon() : new Error('WebAssembly SIMD is missing or its file was not loaded');
    throw new UsageError(
      `backend "${name}" cannot run here: ${reason instanceof Error ? reason.message : 'unknown reason'}`,
    );
  }
  active = kernels;
  return kernels;
}

/** Kernels given directly, for tests and for the browser entry. */
export function useKernels(kernels: Kernels): void {
  active = kernels;
}

/** The kernels in use: `SIGNUM_BACKEND`, else native, else wasm, else reference. */
export function kernels(): Kernels {
  if (active) return active;
  const wanted = environmentVariable('SIGNUM_BACKEND');
  if (wanted) return useBackend(wanted as BackendName);
  active = availableBackends()[0]!;
  return active;
}

/** Threads of the native kernels; a positive count sets them. Other backends have one. */
export function threads(count = 0): number {
  const native = nativeAddon();
  return native instanceof Error ? 1 : native.threads(count);
}
