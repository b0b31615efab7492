import { bytesAt, readWasm, wasmSource } from '#platform';
import { SignumError } from '../../core/errors.ts';
import { reasonOf } from '../../core/printable.ts';
import type { Kernels } from '../kernels.ts';
import { bindWasm } from './binding.ts';
import { supportedBuilds, type WasmBuild, wasmFiles } from './features.ts';

const noSimd = 'this engine has no WebAssembly SIMD, which browsers have since 2021 (Safari since 2023)';
const inlineCure =
  "import 'signum-bnn/runtime/inline', which holds the kernels, or give loadWasm() the file's address (docs/bundlers.md)";

/** What was compiled at once, or why it could not be. */
const loaded = new Map<WasmBuild, Kernels | Error>();
/** What `loadWasm` fetched or was given: it goes before what can be had at once. */
let fetched: Kernels | undefined;
let fetchedModule: WebAssembly.Module | undefined;
/** On its way; one that fails is asked for again. */
let fetching: Promise<WebAssembly.Module> | undefined;

function load(build: WasmBuild): Kernels | Error {
  let result = loaded.get(build);
  if (result === undefined) {
    try {
      const bytes = readWasm(build);
      result = bytes instanceof Error ? bytes : bindWasm(new WebAssembly.Module(bytes));
    } catch (error) {
      // older browsers compile at once in workers only, and a content security policy may forbid it
      result = error instanceof Error ? error : new Error(String(error));
    }
    loaded.set(build, result);
  }
  return result;
}

/** Kernels of the best build that this engine runs, or why there are none: a page needs `loadWasm` first. */
export function wasmKernels(): Kernels | Error {
  if (fetched) return fetched;
  const results = supportedBuilds().map(load);
  return results.find((result) => !(result instanceof Error)) ?? results[0] ?? new Error(noSimd);
}

/** Every build that can be had at once here, for tests and benchmarks. */
export function wasmBuilds(): { name: WasmBuild; kernels: () => Kernels }[] {
  return supportedBuilds().flatMap((name) => {
    const kernels = load(name);
    return kernels instanceof Error ? [] : [{ name, kernels: () => kernels }];
  });
}

/** Where the kernels come from: an address, or what a bundler makes of an import of `signum-bnn/signum.wasm`. */
export type WasmSource = string | URL | ArrayBuffer | ArrayBufferView<ArrayBuffer> | WebAssembly.Module;

/**
 * Loads the WebAssembly kernels. A page awaits it before it loads a model; Node.js and `signum-bnn/runtime/inline` load them by
 * themselves.
 *
 * @param source address of signum.wasm, or of its folder when it ends with `/`; or the file's bytes; or the compiled module.
 *   Default: the file that the bundler put beside the script
 * @returns the kernels. Without being told otherwise, `loadPackedModel` prefers native ones where there are any
 * @throws SignumError when the engine has no WebAssembly SIMD or the file cannot be had
 */
export async function loadWasm(source?: WasmSource): Promise<Kernels> {
  const [build] = supportedBuilds();
  if (build === undefined) throw new SignumError(noSimd);
  if (source === undefined) {
    const present = wasmKernels();
    if (!(present instanceof Error)) return present;
  }
  fetchedModule = await (source === undefined ? ownModule(build) : compile(source, build));
  fetched = bindWasm(fetchedModule);
  return fetched;
}

function ownModule(build: WasmBuild): Promise<WebAssembly.Module> {
  fetching ??= compile(ownSource(build), build).finally(() => {
    fetching = undefined;
  });
  return fetching;
}

/**
 * The compiled kernels, for threads that could not find them by themselves; undefined where they can, and where there are none.
 *
 * @throws SignumError when the file cannot be had
 */
export async function moduleForThreads(): Promise<WebAssembly.Module | undefined> {
  const [build] = supportedBuilds();
  if (build === undefined) return undefined;
  if (!fetchedModule && readWasm(build) instanceof Error) fetchedModule = await ownModule(build);
  return fetchedModule;
}

function ownSource(build: WasmBuild): WasmSource {
  try {
    return wasmSource(build);
  } catch {
    throw new SignumError(`this bundle does not know its own address, nor that of ${wasmFiles[build]}: ${inlineCure}`);
  }
}

async function compile(source: WasmSource, build: WasmBuild): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) return WebAssembly.compile(source);
  const address = `${source}`.endsWith('/') ? `${source}${wasmFiles[build]}` : `${source}`;
  const shown = address.length > 200 ? `${address.slice(0, 200)}...` : address;
  try {
    return await WebAssembly.compile(await bytesAt(address));
  } catch (error) {
    const reason = reasonOf(error);
    throw new SignumError(`the WebAssembly kernels cannot be had from ${shown} (${reason}): ${inlineCure}`);
  }
}
