import { accessSync, closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignumError } from '../core/errors.ts';

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
};

function accessProblem(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Why the file system refused, in the user's words. */
export function fileReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

/** A file-system error in the user's words. */
export function fileProblem(action: string, path: string, error: unknown): SignumError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // also a recursive mkdir on a read-only file system reports ENOENT: ask the parent folder for the real reason
  const ofFolder = code === 'ENOENT' ? accessProblem(dirname(path)) : undefined;
  const reason = ofFolder === 'ENOENT' ? 'its folder does not exist' : reasons[ofFolder ?? code];
  return new SignumError(`cannot ${action} ${path}: ${reason ?? message}`);
}

/**
 * Writes a whole file under a temporary name, flushes it and renames it, so that a reader or a crash never sees half of it.
 *
 * @throws SignumError saying why it could not be written; the old file, if any, is untouched
 */
export function writeFileAtomic(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileProblem('write', path, error);
  }
}
