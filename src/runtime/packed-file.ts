import { Gunzip, gzipSync } from 'fflate';
import type { Bytes } from '../core/bytes.ts';
import { crc32 } from '../core/crc32.ts';
import { exactDtypes } from '../core/dtypes.ts';
import { FormatError } from '../core/errors.ts';
import { printable, reasonOf } from '../core/printable.ts';
import { readSafetensorsOf, type StoredTensor, writeSafetensors } from '../core/safetensors.ts';
import { sayOnce } from '../core/say-once.ts';
import { parseGraph, type StoredGraph } from './graph.ts';
import type { PackedOp } from './op.ts';
import { allOps } from './ops/all.ts';
import { type Proof, parseProof } from './proof.ts';
import { ModelTensors } from './tensors.ts';

/**
 * A packed model is one safetensors file: `__metadata__` names the format, its version, the model and the method; the U8 tensor
 * `graph` is the graph's JSON, gzipped (a tenth of it, and of a narrow network's file it would be a third); the graph names the
 * other tensors. Filters of signs are U8 too, bit after bit (core/tight-bits.ts).
 */
const format = 'signum-packed';
const version = '3';
/** Every version from here on is read, for ever. */
const oldest = '2';
const graphTensor = 'graph';

/** More than this, zipped or not, is no graph: a file must make us neither allocate nor unzip without bound. */
const mostGraphBytes = 2 ** 24;
const mostZippedBytes = 2 ** 20;

/** The bytes of a packed model's file. */
export function writePackedFile(
  graph: StoredGraph,
  tensors: ReadonlyMap<string, StoredTensor>,
  proof?: Proof,
): Uint8Array {
  // without a time: the same network always gives the same bytes
  const data = gzipSync(new TextEncoder().encode(JSON.stringify(graph)), { level: 9, mtime: 0 });
  const { model, method } = graph;
  const entries = [...tensors, [graphTensor, { shape: [data.length], data }] as const];
  // bytes after numbers, which stay aligned
  entries.sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const proved = proof ? { proof: JSON.stringify(proof) } : {};
  return writeSafetensors(entries, { format, version, model, method, ...proved });
}

/** Unzips piece by piece, so that bytes which hold more than they say cost no time. @throws when they do not hold `length` bytes */
function gunzip(zipped: Uint8Array, length: number): Uint8Array {
  const [text, piece] = [new Uint8Array(length), 1024];
  let filled = 0;
  const stream = new Gunzip((part) => {
    if (filled + part.length > length) throw new Error('it holds more than it says');
    text.set(part, filled);
    filled += part.length;
  });
  for (let at = 0; at < zipped.length; at += piece)
    stream.push(zipped.subarray(at, at + piece), at + piece >= zipped.length);
  if (filled < length) throw new Error('it holds less than it says');
  return text;
}

function unzipped(stored: StoredTensor | undefined): string {
  const bytes = stored?.data;
  if (!(bytes instanceof Uint8Array) || bytes.length < 18) throw new FormatError('the model has no graph');
  // a gzip file ends with the checksum and the length of what it holds
  const end = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const [checksum, length] = [end.getUint32(0, true), end.getUint32(4, true)];
  if (length > mostGraphBytes || bytes.length > mostZippedBytes) {
    throw new FormatError(
      `the model's graph claims ${length} bytes in ${bytes.length}, more than any here (${mostGraphBytes} in ${mostZippedBytes})`,
    );
  }
  try {
    const text = gunzip(bytes, length);
    if (crc32(text) !== checksum) throw new Error('it is not what was zipped');
    return new TextDecoder('utf-8', { fatal: true }).decode(text);
  } catch (error) {
    throw new FormatError(
      `the model's graph is damaged: ${reasonOf(error)}; copy or download the file again, or pack it anew`,
    );
  }
}

/**
 * The graph and tensors of a packed model's file; whether they fit one another is for `PackedModel` to find.
 *
 * @param ops that it may have besides this package's
 * @throws FormatError for foreign files, those of another version, damaged ones, and ops that are not known
 */
export function readPackedFile(
  file: Bytes,
  ops?: readonly PackedOp[],
): { graph: StoredGraph; tensors: ModelTensors; proof: Proof | null } {
  const { tensors, metadata, checksummed } = readSafetensorsOf(file, exactDtypes);
  // files of version 1 held their graph as metadata
  const found = metadata['format'] === format ? metadata['version'] : metadata['signum']?.includes(format) ? '1' : null;
  if (found === null) {
    throw new FormatError(
      `this safetensors file is not a packed Signum model: its metadata names no format "${format}"`,
    );
  }
  if (found !== version && found !== oldest) {
    throw new FormatError(
      `the model is of format version ${printable(String(found))}, this build reads versions ${oldest} and ${version}: pack it again, or install a newer version`,
    );
  }
  const graph = parseGraph(unzipped(tensors.get(graphTensor)), found, allOps(ops));
  if (!checksummed && found === version)
    throw new FormatError('the model has no checksum, as files of its version have; copy or download the file again');
  if (!checksummed) {
    sayOnce(
      'this model file is of a time before checksums, so that damage may go unnoticed; pack the network again to add one',
    );
  }
  return { graph, tensors: new ModelTensors(tensors), proof: parseProof(metadata['proof']) };
}
