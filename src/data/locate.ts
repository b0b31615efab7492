import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';

/** `$SIGNUM_DATA`, else ~/.cache/signum. */
export function dataRoot(): string {
  return process.env['SIGNUM_DATA'] ?? join(homedir(), '.cache', 'signum');
}

/** Where caches of decoded images may be written. */
export function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'signum', 'decoded');
}

/**
 * The first folder that holds all of `files` (each possibly gzipped).
 *
 * @throws DataError listing every place looked at and how to get the data
 */
export function locateFolder(
  name: string,
  folders: readonly string[],
  files: readonly string[],
  advice: string,
): string {
  const complete = (folder: string) =>
    files.every((file) => existsSync(join(folder, file)) || existsSync(join(folder, `${file}.gz`)));
  const found = folders.find(complete);
  if (found) return found;
  const looked = folders.map((folder) => `  ${folder}`).join('\n');
  throw new DataError(
    `data set "${name}" not found: none of these folders holds ${files.join(', ')}\n${looked}\n${advice}`,
  );
}
