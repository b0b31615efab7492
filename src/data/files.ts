import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SignumError } from '../core/errors.ts';

/** Whether there is a folder at a path. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
};

/** The code of what keeps the nearest folder that exists from being written, and whether that is the folder asked for. */
function folderProblem(folder: string): { code: string | undefined; itself: boolean } {
  for (let at = folder; ; at = dirname(at)) {
    try {
      accessSync(at, constants.W_OK);
      return { code: undefined, itself: at === folder };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || at === dirname(at)) return { code, itself: at === folder };
    }
  }
}

/** Why the file system refused, in the user's words. */
export function fileReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

/** A whole file. @throws SignumError saying why it cannot be read */
export function readWhole(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileProblem('read', path, error);
  }
}

/** A file-system error in the user's words. */
export function fileProblem(action: string, path: string, error: unknown): SignumError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new SignumError(`cannot ${action} ${path}: ${(code === 'ENOENT' ? absence(path) : reasons[code]) ?? message}`);
}

/** Why there is nothing at a path. Also making folders on a read-only file system reports ENOENT: the folders above know the real reason. */
function absence(path: string): string | undefined {
  const { code, itself } = folderProblem(dirname(path));
  return code ? reasons[code] : itself ? reasons['ENOENT'] : 'its folder does not exist';
}

/**
 * Writes a whole file under a temporary name, flushes it and renames it, so that a reader or a crash never sees half of it.
 *
 * @param mayWrite throws when the file may no longer be written; asked before anything is, and again before it takes its name
 * @throws SignumError saying why it could not be written; the old file, if any, is untouched
 */
export function writeFileAtomic(path: string, content: Uint8Array | string, mayWrite: () => void = () => {}): void {
  mayWrite();
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    mayWrite();
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof SignumError) throw error;
    // whoever takes a run over removes the temporary files of the one before
    mayWrite();
    throw fileProblem('write', path, error);
  }
}
