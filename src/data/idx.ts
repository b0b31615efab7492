import { type Bytes, bytesOf } from '../core/bytes.ts';
import { DataError } from '../core/errors.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes (LeCun's format of MNIST): magic 0x00 0x00 0x08 rank, big-endian sizes, data.
 *
 * @throws DataError when it is not one, truncated, or of another element type
 */
export function readIdx(bytes: Bytes, name: string): IdxArray {
  const file = bytesOf(bytes, name);
  const rank = file[3] ?? 0;
  if (file.length < 4 || file[0] !== 0 || file[1] !== 0)
    throw new DataError(`${name} is not an IDX file (it does not start with two zero bytes)`);
  if (file[2] !== 0x08)
    throw new DataError(
      `${name}: IDX element type 0x${(file[2] ?? 0).toString(16)} is not supported, only unsigned bytes (0x08)`,
    );
  if (rank < 1 || rank > 4 || file.length < 4 + 4 * rank) throw new DataError(`${name}: truncated IDX header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((a, b) => a * b, 1);
  if (file.length - 4 - 4 * rank !== size) {
    throw new DataError(
      `${name}: the header promises ${size} bytes ([${shape.join(',')}]), the file has ${file.length - 4 - 4 * rank}; download it again`,
    );
  }
  return { shape, bytes: file.subarray(4 + 4 * rank) };
}
