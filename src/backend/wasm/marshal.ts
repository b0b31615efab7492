import { SignumError } from '../../core/errors.ts';
import type { FlatKernels } from '../kernel-table.ts';
import { type ArgumentKind, type FlatKind, flatKind, isArrayKind, type KernelRow } from '../kernel-table.ts';

type AnyArray = Float32Array | Int32Array | Uint32Array;

export interface WasmExports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  heapStart: () => number;
  /** Tells the kernels where free memory begins. */
  beginCall: (free: number) => void;
  /** Which build this is: 1 when compiled with relaxed SIMD. */
  relaxedSimd?: WebAssembly.Global;
}

/** A row of the table as it is read here: any kernel's. */
export type MarshalledRow = Omit<KernelRow<never[], never[]>, 'kinds'> & { readonly kinds: readonly ArgumentKind[] };

const align = (address: number) => (address + 63) & ~63;
const pageBytes = 65536;
/** What 32-bit addresses reach. */
const mostBytes = 2 ** 32 - pageBytes;

const arrayTypes = { F: Float32Array, W: Uint32Array, I: Int32Array } as const;

const wholeNumber = (least: number) => ({
  holds: (value: number) => Number.isInteger(value) && value >= least && value <= 2 ** 31 - 1,
  expected: `a whole number from ${least} on`,
});
const numberRules = {
  rows: wholeNumber(0),
  count: wholeNumber(1),
  name: wholeNumber(0),
  flag: { holds: (value: number) => value === 0 || value === 1, expected: '0 or 1' },
  float: { holds: (value: number) => typeof value === 'number', expected: 'a number' },
} as const;

/** @throws SignumError when an argument is not of its kind: memory is written by what it says */
function checkKind(kernel: string, position: number, kind: FlatKind, value: unknown): void {
  if (isArrayKind(kind)) {
    const type = arrayTypes[kind[0] as keyof typeof arrayTypes];
    if (!(value instanceof type)) throw new SignumError(`${kernel}: argument ${position + 1} is not a ${type.name}`);
    return;
  }
  const rule = numberRules[kind as keyof typeof numberRules];
  if (!rule.holds(value as number))
    throw new SignumError(`${kernel}: argument ${position + 1} is ${String(value)}, expected ${rule.expected}`);
}

/** Copies arguments into WebAssembly memory, calls, and copies results back; memory grows to the largest call. */
export function marshal(
  exports: WasmExports,
  name: keyof FlatKernels,
  { kinds: typed, sizes, extra, workspace }: MarshalledRow,
): (...args: unknown[]) => void {
  const call = exports[name] as (...args: number[]) => void;
  const { memory } = exports;
  const kinds = typed.map(flatKind);
  const start = align(exports.heapStart());
  const arrays = kinds.flatMap((kind, position) =>
    isArrayKind(kind) ? [{ position, read: kind[1] !== 'w', written: kind[1] !== 'r' }] : [],
  );
  return (...args) => {
    if (args.length !== kinds.length)
      throw new SignumError(`${name}: ${args.length} arguments, expected ${kinds.length}`);
    for (const [position, kind] of kinds.entries()) checkKind(name, position, kind, args[position]);
    const needed = sizes(...(args as never[]));
    let free = start;
    const pointers = args.slice() as number[];
    arrays.forEach(({ position }, i) => {
      const given = (args[position] as AnyArray).length;
      if (given < needed[i]!)
        throw new SignumError(`${name}: argument ${position + 1} has ${given} elements, needs ${needed[i]}`);
      pointers[position] = free;
      free = align(free + needed[i]! * 4);
    });
    const most = free + (workspace?.(...(args as never[])) ?? 0);
    if (most > mostBytes)
      throw new SignumError(`${name}: needs ${most} bytes, more than WebAssembly can address; use smaller batches`);
    const missing = free + pageBytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    // floats and integers are both moved as 32-bit words
    const before = new Uint32Array(memory.buffer);
    arrays.forEach(({ position, read }, i) => {
      if (read) before.set(wordsOf(args[position] as AnyArray, needed[i]!), pointers[position]! / 4);
    });
    exports.beginCall(free);
    if (extra) pointers.push(extra(...(args as never[])));
    call(...pointers);
    const after = new Uint32Array(memory.buffer);
    arrays.forEach(({ position, written }, i) => {
      if (!written) return;
      const from = pointers[position]! / 4;
      wordsOf(args[position] as AnyArray, needed[i]!).set(after.subarray(from, from + needed[i]!));
    });
  };
}

const wordsOf = (array: AnyArray, length: number) => new Uint32Array(array.buffer, array.byteOffset, length);
