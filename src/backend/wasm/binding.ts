import { SignumError } from '../../core/errors.ts';
import { bindFlatKernels, type FlatKernels } from '../flat-kernels.ts';
import type { Kernels } from '../kernels.ts';
import { type Signature, signatures } from './signatures.ts';

type AnyArray = Float32Array | Int32Array | Uint32Array;

interface WasmExports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  heapStart: () => number;
  /** Tells the kernels where free memory begins. */
  beginCall: (free: number) => void;
  /** Which build this is: 1 when compiled with relaxed SIMD. */
  relaxedSimd?: WebAssembly.Global;
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

/** Kernels of a compiled build (load.ts finds and compiles it). */
export function bindWasm(module: WebAssembly.Module): Kernels {
  const exports = new WebAssembly.Instance(module, {}).exports as WasmExports;
  const flat = Object.fromEntries(
    Object.entries(signatures).map(([name, signature]) => [
      name,
      marshal(exports, name as keyof FlatKernels, signature as unknown as Signature<never[]>),
    ]),
  );
  const detail = exports.relaxedSimd?.value ? 'wasm-relaxed-simd' : 'wasm-simd128';
  return bindFlatKernels('wasm', detail, flat as unknown as FlatKernels);
}
