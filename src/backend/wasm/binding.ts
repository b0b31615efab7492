import { readWasm } from '#platform';
import { SignumError } from '../../core/errors.ts';
import { bindFlatKernels, type FlatKernels } from '../flat-kernels.ts';
import type { Kernels } from '../kernels.ts';
import { relaxedSimdSupported, simdSupported } from './features.ts';
import { type Signature, signatures } from './signatures.ts';

type AnyArray = Float32Array | Int32Array | Uint32Array;

interface WasmExports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  heapStart: () => number;
  /** Tells the kernels where free memory begins. */
  beginCall: (free: number) => void;
}

const align = (address: number) => (address + 63) & ~63;
const pageBytes = 65536;

/** Copies arguments into WebAssembly memory, calls, and copies results back; memory grows to the largest call. */
function marshal(
  exports: WasmExports,
  name: keyof FlatKernels,
  { access, sizes, extra }: Signature<never[]>,
): (...args: unknown[]) => void {
  const call = exports[name] as (...args: number[]) => void;
  const { memory } = exports;
  const start = align(exports.heapStart());
  const arrayPositions = [...access].flatMap((letter, i) => (letter === '.' ? [] : [i]));
  return (...args) => {
    const needed = sizes(...(args as never[]));
    let free = start;
    const pointers = args.slice() as number[];
    arrayPositions.forEach((position, i) => {
      const given = (args[position] as AnyArray).length;
      if (given < needed[i]!)
        throw new SignumError(`${name}: argument ${position + 1} has ${given} elements, needs ${needed[i]}`);
      pointers[position] = free;
      free = align(free + needed[i]! * 4);
    });
    const missing = free + pageBytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    // floats and integers are both moved as 32-bit words
    const before = new Uint32Array(memory.buffer);
    arrayPositions.forEach((position, i) => {
      if (access[position] !== 'w')
        before.set(wordsOf(args[position] as AnyArray, needed[i]!), pointers[position]! / 4);
    });
    exports.beginCall(free);
    if (extra) pointers.push(extra(...(args as never[])));
    call(...pointers);
    const after = new Uint32Array(memory.buffer);
    arrayPositions.forEach((position, i) => {
      if (access[position] === 'r') return;
      const from = pointers[position]! / 4;
      wordsOf(args[position] as AnyArray, needed[i]!).set(after.subarray(from, from + needed[i]!));
    });
  };
}

const wordsOf = (array: AnyArray, length: number) => new Uint32Array(array.buffer, array.byteOffset, length);

function kernelsOf(module: WebAssembly.Module, detail: string): Kernels {
  const exports = new WebAssembly.Instance(module, {}).exports as WasmExports;
  const flat = Object.fromEntries(
    Object.entries(signatures).map(([name, signature]) => [
      name,
      marshal(exports, name as keyof FlatKernels, signature as unknown as Signature<never[]>),
    ]),
  );
  return bindFlatKernels('wasm', detail, flat as unknown as FlatKernels);
}

const builds = {
  relaxed: { file: 'signum-relaxed.wasm', detail: 'wasm-relaxed-simd', supported: relaxedSimdSupported },
  simd: { file: 'signum.wasm', detail: 'wasm-simd128', supported: simdSupported },
} as const;
type BuildName = keyof typeof builds;

const loaded = new Map<BuildName, Kernels>();

function load(name: BuildName): Kernels | null {
  const present = loaded.get(name);
  if (present) return present;
  const build = builds[name];
  const bytes = build.supported() ? readWasm(build.file) : null;
  if (bytes === null) return null;
  const kernels = kernelsOf(new WebAssembly.Module(bytes), build.detail);
  loaded.set(name, kernels);
  return kernels;
}

/** Kernels of the best build that this engine runs; null without SIMD, or in a browser before `loadWasm`. */
export function wasmKernels(): Kernels | null {
  return load('relaxed') ?? load('simd');
}

/** Every build that runs here, for tests and benchmarks. */
export function wasmBuilds(): { name: BuildName; kernels: () => Kernels }[] {
  return (Object.keys(builds) as BuildName[])
    .filter((name) => load(name) !== null)
    .map((name) => ({ name, kernels: () => load(name)! }));
}

/**
 * Fetches and compiles the kernels in a browser; afterwards `kernels()` finds them.
 *
 * @param base folder of the .wasm files; default: beside this module
 * @throws SignumError when the engine has no WebAssembly SIMD or the file cannot be fetched
 */
export async function loadWasm(base: string | URL = import.meta.url): Promise<Kernels> {
  const name = (Object.keys(builds) as BuildName[]).find((candidate) => builds[candidate].supported());
  if (!name) throw new SignumError('this engine has no WebAssembly SIMD; use a browser from 2021 or later');
  const response = await fetch(new URL(builds[name].file, base));
  if (!response.ok) throw new SignumError(`cannot fetch ${builds[name].file}: HTTP ${response.status}`);
  const kernels = kernelsOf(await WebAssembly.compile(await response.arrayBuffer()), builds[name].detail);
  loaded.set(name, kernels);
  return kernels;
}
