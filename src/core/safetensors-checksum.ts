import { crc32 } from './crc32.ts';
import { FormatError } from './errors.ts';

/**
 * A safetensors file's checksum against damage: CRC-32 of all its bytes, header included, with its own eight digits as zeros. It lies in the
 * metadata under a name of ours; a second entry says that it is there, so that a bit that falls over in the name is noticed too.
 */
const name = 'signum-crc32';
const [markName, markValue] = ['checksum', name];
const blank = '00000000';

/** To be written last, and filled by `fillChecksum`. */
export const checksumMetadata: Readonly<Record<string, string>> = { [markName]: markValue, [name]: blank };

/** Metadata without the checksum's entries, and its digits; null where there is none. @throws FormatError when half of it is there */
export function splitMetadata(all: Readonly<Record<string, string>>): {
  metadata: Record<string, string>;
  checksum: string | null;
} {
  const { [name]: checksum, [markName]: mark, ...metadata } = all;
  if (checksum !== undefined) return { metadata, checksum };
  if (mark === markValue)
    throw new FormatError(
      'damaged safetensors file: its checksum is missing; copy or download it again, or make it anew',
    );
  return { metadata: { ...all }, checksum: null };
}

/** Where the digits lie: no text of JSON can hold these bytes in a row but the entry itself, for a quote inside a text has a backslash. */
function digitsAt(bytes: Uint8Array, headerEnd: number): number {
  const pattern = new TextEncoder().encode(`"${name}":"`);
  for (let at = 8; at + pattern.length + blank.length < headerEnd; at++)
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at + pattern.length;
  return -1;
}

function checksumOf(bytes: Uint8Array, digits: number): string {
  const before = crc32(new TextEncoder().encode(blank), crc32(bytes.subarray(0, digits)));
  return crc32(bytes.subarray(digits + blank.length), before)
    .toString(16)
    .padStart(blank.length, '0');
}

export function fillChecksum(bytes: Uint8Array, headerEnd: number): void {
  const digits = digitsAt(bytes, headerEnd);
  bytes.set(new TextEncoder().encode(checksumOf(bytes, digits)), digits);
}

export function checksumHolds(bytes: Uint8Array, headerEnd: number, checksum: string): boolean {
  const digits = digitsAt(bytes, headerEnd);
  return digits > 0 && checksumOf(bytes, digits) === checksum;
}
