import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../core/errors.ts';
import { reasonOf } from '../core/printable.ts';
import { optionalPackage } from './optional-package.ts';

export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const mostEntryBytes = 100_000_000;

/** Two blocks of zeros end a tar: without them it is cut, perhaps between two entries, where nothing else would tell. */
const endBytes = 1024;

function endsAsTar(path: string): boolean {
  const end = Buffer.alloc(endBytes, 1);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, end, 0, endBytes, Math.max(0, fstatSync(descriptor).size - endBytes));
  } finally {
    closeSync(descriptor);
  }
  return end.every((byte) => byte === 0);
}

/** All regular files of a tar archive whose name passes the filter. @throws DataError when the archive is damaged */
export async function readTar(path: string, wanted: (name: string) => boolean): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const { extract } = await optionalPackage(() => import('tar-stream'), 'tar-stream', 'reading tar archives');
  const archive = extract();
  const collect = async () => {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header;
      if (type !== 'file' || !wanted(name)) {
        entry.resume();
        continue;
      }
      if (size > mostEntryBytes) throw new Error(`entry ${name} claims ${size} bytes`);
      const parts: Uint8Array[] = [];
      for await (const part of entry) parts.push(part as Uint8Array);
      entries.push({ name, bytes: Buffer.concat(parts) });
    }
  };
  try {
    if (!endsAsTar(path)) throw new Error('it is cut: its end is missing; copy or download it again');
    await Promise.all([pipeline(createReadStream(path), archive), collect()]);
  } catch (error) {
    throw new DataError(`cannot read the archive ${path}: ${reasonOf(error)}`);
  }
  return entries;
}
