import { closeSync, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, fileReason } from './files.ts';
import { headerProblem } from './image-header.ts';

/** A file that is not used, and why. */
export interface UnusedFile {
  readonly name: string;
  readonly reason: string;
}

/** What a folder holds. Names are relative, with `/`, in the order of their code units, whatever the system's language. */
export interface PictureListing {
  readonly pictures: { readonly path: string; readonly name: string }[];
  /** No pictures, and not meant as ones. */
  readonly skipped: UnusedFile[];
  /** Meant as pictures, but unreadable. */
  readonly broken: UnusedFile[];
}

/** What systems and programs leave in folders: AppleDouble, thumbnails, checkpoints of notebooks, rubbish bins. */
const leftBySystems =
  /^(\.|__MACOSX$|@eaDir$|\$RECYCLE\.BIN$|System Volume Information$|lost\+found$|(eh)?thumbs(_vista)?\.db$|desktop\.ini$|Icon\r$)/i;

/** Whether a file or folder of this name is none of the user's own. */
export const isLeftBySystem = (name: string): boolean => leftBySystems.test(name);

const pictureEnding = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|hei[cf]|bmp|jp2|jxl)$/i;

/** Whether a name says that its file is a picture. */
export const namesPicture = (name: string): boolean => pictureEnding.test(name);

export type EntryKind = 'folder' | 'file' | 'dangling' | 'other';

export interface FolderEntry {
  readonly name: string;
  readonly kind: EntryKind;
  /** False for names that are not UTF-8: such a file cannot be asked for by its name. */
  readonly isReadable: boolean;
}

function kindOf(path: string): EntryKind {
  try {
    const found = statSync(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
  } catch {
    return 'dangling';
  }
}

/** The entries of a folder, links followed, sorted. @throws SignumError when it cannot be read */
export function entriesOf(folder: string): FolderEntry[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const readName = (raw: Buffer): { name: string; isReadable: boolean } => {
    try {
      return { name: decoder.decode(raw), isReadable: true };
    } catch {
      return { name: raw.toString('latin1'), isReadable: false };
    }
  };
  try {
    return readdirSync(folder, { encoding: 'buffer', withFileTypes: true })
      .map((entry): FolderEntry => {
        const named = readName(entry.name);
        if (entry.isDirectory()) return { ...named, kind: 'folder' };
        if (entry.isFile()) return { ...named, kind: 'file' };
        return { ...named, kind: entry.isSymbolicLink() ? kindOf(join(folder, named.name)) : 'other' };
      })
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (error) {
    throw fileProblem('read', folder, error);
  }
}

/** What is wrong with the picture of this path, as far as its header tells; null for a good one. */
export function pictureProblem(path: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return fileReason(error);
  }
  try {
    if (!fstatSync(descriptor).isFile()) return 'it is no file';
    return headerProblem((at, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, at));
    });
  } catch (error) {
    return fileReason(error);
  } finally {
    closeSync(descriptor);
  }
}

function listInto(listing: PictureListing, folder: string, prefix: string, above: readonly string[]): void {
  const real = realpathSync(folder);
  if (above.includes(real)) {
    listing.skipped.push({ name: prefix, reason: 'a link to a folder above it' });
    return;
  }
  for (const { name, kind, isReadable } of entriesOf(folder)) {
    const [path, relative] = [join(folder, name), `${prefix}${name}`];
    const leave = (reason: string) =>
      (namesPicture(name) ? listing.broken : listing.skipped).push({ name: relative, reason });
    if (isLeftBySystem(name)) listing.skipped.push({ name: relative, reason: 'hidden' });
    else if (!isReadable) leave('its name is not UTF-8; rename it');
    else if (kind === 'folder') listInto(listing, path, `${relative}/`, [...above, real]);
    else if (kind === 'dangling') leave('a link to nothing');
    else if (kind === 'other') listing.skipped.push({ name: relative, reason: 'no file' });
    else {
      const problem = pictureProblem(path);
      if (problem === null) listing.pictures.push({ path, name: relative });
      else leave(problem);
    }
  }
}

/**
 * All pictures below a folder, by the beginnings of their files; endings only tell a broken picture from a file that never was one.
 *
 * @param prefix of the names, ending with `/`
 * @throws SignumError when a folder cannot be read
 */
export function listPictures(folder: string, prefix = ''): PictureListing {
  const listing: PictureListing = { pictures: [], skipped: [], broken: [] };
  listInto(listing, folder, prefix, []);
  return listing;
}
