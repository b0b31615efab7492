import { DataError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { UnusedFile } from './picture-files.ts';

/** Share of a data set's pictures that may be broken at the start unless more is allowed: a few in a hundred are no accident. */
export const usuallyAllowed = 0.01;

/** Beyond this share of a split no single files are broken, but the disk they lie on is gone. */
const mostLost = 0.1;

const mostShown = 20;

/** `315 images, 3 classes, 2 skipped (a.png: the file is empty, ...)` */
export function skippedText(files: readonly UnusedFile[]): string {
  const shown = files
    .slice(0, 3)
    .map(({ name, reason }) => `${printable(name)}${reason === 'hidden' ? '' : `: ${printable(reason)}`}`);
  return `${files.length} skipped (${shown.join(', ')}${files.length > shown.length ? `, and ${files.length - shown.length} more` : ''})`;
}

/** @throws DataError listing all broken files when they are more than the share `allowed` of all pictures */
export function checkBroken(name: string, broken: readonly UnusedFile[], pictures: number, allowed: number): void {
  const all = pictures + broken.length;
  if (broken.length <= allowed * all) return;
  const lines = broken
    .slice(0, mostShown)
    .map(({ name: file, reason }) => `  ${printable(file)}: ${printable(reason)}`);
  const more = broken.length > mostShown ? `\n  and ${broken.length - mostShown} more` : '';
  const enough = Math.min(1, Math.ceil((1000 * broken.length) / all) / 1000);
  throw new DataError(
    `${printable(name)}: ${broken.length} of ${all} pictures cannot be read, more than ${100 * allowed} %:\n${lines.join('\n')}${more}\nmend or remove them, or leave them out by --allow-broken ${enough} (allowBroken in programs and plans)`,
  );
}

/**
 * Pictures whose header was good, but that failed when they were decoded, maybe hours later: left out, each told of once, and counted.
 * Training goes on without them.
 */
export class BrokenFiles {
  private readonly found = new Map<string, string>();
  private readonly total: number;
  private readonly tell: (line: string) => void;

  /** @param total pictures of the split */
  constructor(total: number, tell: (line: string) => void) {
    this.total = total;
    this.tell = tell;
  }

  get files(): UnusedFile[] {
    return Array.from(this.found, ([name, reason]) => ({ name, reason }));
  }

  /** @throws DataError when so many fail that something else must be wrong than these files */
  add(name: string, reason: string): void {
    if (this.found.has(name)) return;
    this.found.set(name, reason);
    if (this.found.size > 1 + mostLost * this.total)
      throw new DataError(
        `${this.found.size} of ${this.total} pictures can no longer be decoded, last ${printable(name)} (${printable(reason)}): is the disk still there?`,
      );
    this.tell(
      `left out, for it cannot be decoded: ${printable(name)} (${printable(reason)}); ${this.found.size} of ${this.total} pictures so far`,
    );
  }
}
