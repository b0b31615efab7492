import { checkThreads, environmentVariable, notice, slowKernels } from '#platform';
import { UsageError } from '../core/errors.ts';
import type { Kernels } from './kernels.ts';
import { nativeAddon, nativeKernels } from './native/binding.ts';
import { wasmKernels } from './wasm/load.ts';

export type BackendName = Kernels['name'];

/** Kernels of each backend, best first, or why it cannot run here. */
const makers: Readonly<Record<BackendName, () => Kernels | Error>> = {
  native: () => {
    checkThreads();
    return nativeKernels() ?? (nativeAddon() as Error);
  },
  wasm: wasmKernels,
  reference: slowKernels,
};
const names = Object.keys(makers) as BackendName[];
let active: Kernels | undefined;

/** The runtime is published as bundles too: a choice made in one copy of this module holds in the others of the process. */
const key = Symbol.for('signum-bnn.backend');
const copies = globalThis as { [key]?: { chosen?: BackendName; slowTold?: boolean } };
copies[key] ??= {};
const shared = copies[key];

/** Every backend that works here, best first. */
export function availableBackends(): Kernels[] {
  return names.map((name) => makers[name]()).filter((made): made is Kernels => !(made instanceof Error));
}

/**
 * Forces a backend for everything that follows.
 *
 * @throws UsageError when it is unknown or cannot run here
 */
export function useBackend(name: BackendName): Kernels {
  if (!names.includes(name)) throw new UsageError(`unknown backend "${name}": choose one of ${names.join(', ')}`);
  const made = makers[name]();
  if (made instanceof Error) throw new UsageError(`backend "${name}" cannot run here: ${made.message}`);
  active = made;
  shared.chosen = name;
  return made;
}

/** What `useBackend` or `useKernels` asked for in this thread. */
export const chosenBackend = (): BackendName | undefined => shared.chosen;

/** Kernels given directly, for tests and for the browser entry. */
export function useKernels(kernels: Kernels): void {
  active = kernels;
  shared.chosen = kernels.name;
}

/**
 * The kernels in use: `SIGNUM_BACKEND`, else native, else wasm, else reference.
 *
 * @throws UsageError in a page whose WebAssembly kernels are not loaded
 */
export function kernels(): Kernels {
  if (active && active.name === (shared.chosen ?? active.name)) return active;
  const wanted = shared.chosen ?? environmentVariable('SIGNUM_BACKEND');
  if (wanted) return useBackend(wanted as BackendName);
  active = best();
  return active;
}

function best(): Kernels {
  const native = makers.native();
  if (!(native instanceof Error)) return native;
  const wasm = makers.wasm();
  if (!(wasm instanceof Error)) {
    tellSlow('wasm', `WebAssembly kernels serve, 3 to 9 times slower than native ones: ${native.message}`);
    return wasm;
  }
  const slow = makers.reference();
  if (slow instanceof Error) throw new UsageError(wasm.message);
  const reasons = `${native.message}; ${wasm.message}`;
  tellSlow('reference', `reference kernels serve, thousands of times slower than native ones: ${reasons}`);
  return slow;
}

function tellSlow(name: BackendName, what: string): void {
  if (!shared.slowTold) notice(`${what}. SIGNUM_BACKEND=${name} asks for them and silences this.`);
  shared.slowTold = true;
}

/** Threads of the native kernels; a positive count sets them. Other backends have one. */
export function threads(count = 0): number {
  checkThreads();
  const native = nativeAddon();
  return native instanceof Error ? 1 : native.threads(count);
}
