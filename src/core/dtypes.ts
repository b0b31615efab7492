/** What a tensor of a safetensors file is read as: its numbers as they are, or widened to float32 where no typed array holds them. */
export type TensorArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface Dtype {
  /** Of one element in the file. */
  readonly bits: number;
  /** @param raw aligned memory that nobody else holds */
  readonly read: (raw: ArrayBuffer) => TensorArray;
}

type ArrayKind = { readonly BYTES_PER_ELEMENT: number } & (new (raw: ArrayBuffer) => TensorArray);
const exact = (kind: ArrayKind): Dtype => ({ bits: 8 * kind.BYTES_PER_ELEMENT, read: (raw) => new kind(raw) });

/** The element types that typed arrays hold, which are all that packed models have. BOOL is read as bytes. */
export const exactDtypes: ReadonlyMap<string, Dtype> = new Map([
  ['F64', exact(Float64Array)],
  ['F32', exact(Float32Array)],
  ['I64', exact(BigInt64Array)],
  ['U64', exact(BigUint64Array)],
  ['I32', exact(Int32Array)],
  ['U32', exact(Uint32Array)],
  ['I16', exact(Int16Array)],
  ['U16', exact(Uint16Array)],
  ['I8', exact(Int8Array)],
  ['U8', exact(Uint8Array)],
  ['BOOL', exact(Uint8Array)],
]);

const written: readonly (readonly [new (...args: never[]) => TensorArray, string])[] = [
  [Float32Array, 'F32'],
  [Uint8Array, 'U8'],
  [Int32Array, 'I32'],
  [Uint32Array, 'U32'],
  [Float64Array, 'F64'],
  [BigInt64Array, 'I64'],
  [BigUint64Array, 'U64'],
  [Int16Array, 'I16'],
  [Uint16Array, 'U16'],
  [Int8Array, 'I8'],
];

/** The type that an array is written as; undefined for what is none of ours. */
export const dtypeOf = (array: TensorArray): string | undefined => written.find(([kind]) => array instanceof kind)?.[1];
