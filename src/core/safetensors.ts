import { parseBoundedJson } from './bounded-json.ts';
import { type Bytes, bytesOf } from './bytes.ts';
import { type Dtype, dtypeOf, type TensorArray } from './dtypes.ts';
import { FormatError, UsageError } from './errors.ts';
import { dtypes } from './narrow-dtypes.ts';
import { quoted, reasonOf } from './printable.ts';
import { checksumHolds, checksumMetadata, fillChecksum, splitMetadata } from './safetensors-checksum.ts';
import { formatShape, type Shape, sizeOf } from './shape.ts';

/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the data, which
 * the tensors fill without gaps. Any safetensors reader opens these files. Everything is checked before anything is allocated from the
 * file's numbers.
 */
export interface StoredTensor {
  readonly shape: Shape;
  readonly data: TensorArray;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The `__metadata__` strings. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the file carries a checksum (which then holds); those of other programs carry none. */
  readonly checksummed: boolean;
}

const damaged = (what: string) =>
  new FormatError(`damaged safetensors file: ${what}; copy or download it again, or make it anew`);

/** The format's own bound. */
const mostHeaderBytes = 100_000_000;
const mostHeader = { depth: 4, values: 4_000_000 };
const metadataName = '__metadata__';
const forbiddenNames: ReadonlySet<string> = new Set([metadataName, '__proto__']);

function checkTensor(name: string, { shape, data }: StoredTensor, seen: ReadonlySet<string>): string {
  if (forbiddenNames.has(name) || seen.has(name))
    throw new UsageError(`safetensors: a tensor cannot be named ${quoted(name)}${seen.has(name) ? ' twice' : ''}`);
  const dtype = dtypeOf(data);
  if (dtype === undefined || sizeOf(shape) !== data.length)
    throw new UsageError(
      `safetensors: tensor ${quoted(name)} of shape ${formatShape(shape)} needs a typed array of ${sizeOf(shape)}, got ${Object.prototype.toString.call(data)} of ${data.length}`,
    );
  return dtype;
}

/**
 * Serialises tensors and metadata, with a checksum over the whole file (safetensors-checksum.ts).
 *
 * @throws UsageError for names that come twice or are not allowed, and for arrays that do not fit their shape
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors];
  const header: [string, unknown][] = [[metadataName, { ...metadata, ...checksumMetadata }]];
  const seen = new Set<string>();
  let offset = 0;
  for (const [name, tensor] of entries) {
    const dtype = checkTensor(name, tensor, seen);
    seen.add(name);
    const end = offset + tensor.data.byteLength;
    header.push([name, { dtype, shape: tensor.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const encoded = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
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
  fillChecksum(bytes, 8 + padded);
  return bytes;
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw new FormatError(`not a safetensors file: ${bytes.length} bytes is too short`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(mostHeaderBytes, bytes.length - 8))) {
    throw new FormatError(
      `not a safetensors file, or truncated: its header claims ${length} bytes of ${bytes.length - 8}; copy or download it again`,
    );
  }
  const dataStart = 8 + Number(length);
  if (bytes[8] !== 0x7b) throw new FormatError('not a safetensors file: its header does not begin with "{"');
  let text: string;
  try {
    // copied: decoders refuse shared memory
    text = new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes.subarray(8, dataStart)));
  } catch {
    throw damaged('its header is not UTF-8');
  }
  try {
    return { header: parseBoundedJson(text, mostHeader) as Record<string, unknown>, dataStart };
  } catch (error) {
    throw damaged(`in its header, ${reasonOf(error)}`);
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function parseEntry(name: string, entry: unknown, dataBytes: number, known: ReadonlyMap<string, Dtype>): Entry {
  const fail = (what: string): never => {
    throw damaged(`tensor ${quoted(name)} ${what}`);
  };
  const { dtype: type, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const dtype = typeof type === 'string' ? known.get(type) : undefined;
  if (!dtype)
    return fail(
      `has dtype ${typeof type === 'string' ? quoted(type) : typeof type}, expected one of ${[...known.keys()].join(', ')}`,
    );
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(isCount)) return fail('has no valid shape');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail('has no valid data_offsets');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes)
    return fail(`lies at bytes ${begin}-${end}, outside the ${dataBytes} bytes of data`);
  const size = sizeOf(shape);
  if (!isCount(size) || size * dtype.bits !== 8 * (end - begin)) {
    return fail(`of shape ${formatShape(shape)} and dtype ${type} does not fill its ${end - begin} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors fill the data without gaps and without sharing: a small file cannot be read into much memory, nor hide anything. */
function checkLayout(entries: readonly Entry[], dataBytes: number): void {
  let [filled, last] = [0, 'the header'];
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== filled)
      throw damaged(
        `tensor ${quoted(name)} begins at byte ${begin} of the data, but ${last} ends at ${filled}: ` +
          `${begin < filled ? 'they overlap' : 'there is a hole between them'}`,
      );
    [filled, last] = [end, quoted(name)];
  }
  if (filled !== dataBytes)
    throw damaged(`its tensors end at byte ${filled} of the data, the file goes on to ${dataBytes}`);
}

function parseMetadata(entry: unknown): Record<string, string> {
  const isObject = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
  const wrong = isObject ? Object.entries(entry).find(([, value]) => typeof value !== 'string') : [metadataName];
  if (wrong) throw damaged(`its metadata is not text at ${quoted(String(wrong[0]))}`);
  return entry as Record<string, string>;
}

/**
 * Reads a safetensors file.
 *
 * @throws FormatError naming the first thing that is wrong
 */
export const readSafetensors = (file: Bytes): SafetensorsFile => readSafetensorsOf(file, dtypes);

/** The same of a file that may have these element types only. */
export function readSafetensorsOf(file: Bytes, known: ReadonlyMap<string, Dtype>): SafetensorsFile {
  const bytes = bytesOf(file, 'a safetensors file');
  const { header, dataStart } = parseHeader(bytes);
  const data = bytes.subarray(dataStart);
  const { [metadataName]: stored = {}, ...named } = header;
  const { metadata, checksum } = splitMetadata(parseMetadata(stored));
  if (checksum !== null && !checksumHolds(bytes, dataStart, checksum)) {
    throw damaged('its content does not match its checksum');
  }
  const entries = Object.entries(named).map(([name, entry]) => parseEntry(name, entry, data.length, known));
  checkLayout(entries, data.length);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // copied, because offsets need not be aligned for typed arrays; not by slice, which for a Node Buffer is a view
    tensors.set(name, { shape, data: dtype.read(new Uint8Array(data.subarray(begin, end)).buffer) });
  }
  return { tensors, metadata, checksummed: checksum !== null };
}
