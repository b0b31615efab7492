import { FormatError } from './errors.ts';
import { type Shape, sizeOf } from './shape.ts';

/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the data.
 * Any safetensors reader opens these files. Everything is checked before anything is allocated from the file's numbers.
 */
export type TensorArray = Float32Array | Uint32Array | Int32Array | Uint8Array;

export interface StoredTensor {
  readonly shape: Shape;
  readonly data: TensorArray;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The `__metadata__` strings. */
  readonly metadata: Readonly<Record<string, string>>;
}

type Dtype = 'F32' | 'U32' | 'I32' | 'U8';
const maxHeaderBytes = 100_000_000;
const elementBytes: Record<Dtype, number> = { F32: 4, U32: 4, I32: 4, U8: 1 };

function dtypeOf(array: TensorArray): Dtype {
  if (array instanceof Float32Array) return 'F32';
  if (array instanceof Uint32Array) return 'U32';
  return array instanceof Int32Array ? 'I32' : 'U8';
}

/** Serialises tensors and metadata. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of entries) {
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const padded = Math.ceil(encoded.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded);
  bytes.set(encoded, 8);
  let at = 8 + padded;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw new FormatError(`not a safetensors file: ${bytes.length} bytes is too short`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(maxHeaderBytes, bytes.length - 8))) {
    throw new FormatError(
      `not a safetensors file, or truncated: its header claims ${length} bytes of ${bytes.length - 8}`,
    );
  }
  const dataStart = 8 + Number(length);
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)));
    if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new Error('not an object');
    return { header: header as Record<string, unknown>, dataStart };
  } catch (error) {
    throw new FormatError(`damaged safetensors header: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseTensor(name: string, entry: unknown, data: Uint8Array): StoredTensor {
  const fail = (what: string): never => {
    throw new FormatError(`damaged safetensors file: tensor "${name}" ${what}`);
  };
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof dtype !== 'string' || !(dtype in elementBytes))
    return fail(`has dtype ${String(dtype)}, expected one of F32, U32, I32, U8`);
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(isCount)) return fail('has no valid shape');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail('has no valid data_offsets');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > data.length)
    return fail(`lies at bytes ${begin}-${end}, outside the ${data.length} bytes of data`);
  const size = sizeOf(shape as number[]);
  if (!isCount(size) || size * elementBytes[dtype as Dtype] !== end - begin) {
    return fail(`of shape [${shape.join(',')}] and dtype ${dtype} does not fill its ${end - begin} bytes`);
  }
  // copied, because offsets need not be aligned for typed arrays; not by slice, which for a Node Buffer is a view
  const raw = new Uint8Array(data.subarray(begin, end)).buffer;
  const arrays = { F32: Float32Array, U32: Uint32Array, I32: Int32Array, U8: Uint8Array };
  return { shape: shape as number[], data: new arrays[dtype as Dtype](raw) };
}

/**
 * Reads a safetensors file.
 *
 * @throws FormatError naming the first thing that is wrong
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = parseHeader(bytes);
  const data = bytes.subarray(dataStart);
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') tensors.set(name, parseTensor(name, entry, data));
    else
      for (const [key, value] of Object.entries((entry ?? {}) as Record<string, unknown>))
        metadata[key] = String(value);
  }
  return { tensors, metadata };
}
