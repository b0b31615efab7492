import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../core/safetensors.ts';
import type { PixelSplit } from './dataset.ts';
import { isFolder, writeFileAtomic } from './files.ts';
import { cacheRoot } from './locate.ts';
import type { UnusedFile } from './picture-files.ts';

/** What was decoded, and what was left out. */
export interface DecodedSplit {
  readonly split: PixelSplit;
  /** Of the files that the images come from. */
  readonly names: readonly string[];
  readonly skipped: readonly UnusedFile[];
  readonly broken: readonly UnusedFile[];
}

type Files = Omit<DecodedSplit, 'split'>;

/** The paths below a folder, in order; of a file, itself. */
function pathsBelow(source: string): string[] {
  if (!isFolder(source)) return [source];
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(source, name));
}

/** A key that changes when a source file or the decoding does. */
function cacheFile(source: string, detail: string): string {
  const hash = createHash('sha256').update(JSON.stringify([detail, 3]));
  for (const path of pathsBelow(source)) {
    const found = statSync(path, { throwIfNoEntry: false });
    hash.update(JSON.stringify([path, found?.size, found?.mtimeMs]));
  }
  return join(cacheRoot(), `${hash.digest('hex').slice(0, 24)}.safetensors`);
}

/** A decoded split of an archive or a folder from the cache, or decoded now and cached; an unwritable or damaged cache only costs time. */
export async function cachedSplit(
  source: string,
  detail: string,
  decode: () => Promise<DecodedSplit>,
): Promise<DecodedSplit> {
  const file = cacheFile(source, detail);
  try {
    const { tensors, metadata } = readSafetensors(readFileSync(file));
    const pixels = tensors.get('pixels')!.data as Uint8Array;
    const labels = Uint16Array.from(tensors.get('labels')!.data as Uint32Array);
    return { split: { count: labels.length, labels, pixels }, ...(JSON.parse(metadata['files']!) as Files) };
  } catch {
    const decoded = await decode();
    const { split, ...files } = decoded;
    try {
      mkdirSync(cacheRoot(), { recursive: true });
      const labels = Uint32Array.from(split.labels);
      writeFileAtomic(
        file,
        writeSafetensors(
          [
            ['pixels', { shape: [split.pixels.length], data: split.pixels }],
            ['labels', { shape: [labels.length], data: labels }],
          ],
          { files: JSON.stringify(files satisfies Files) },
        ),
      );
    } catch {
      // the cache is a convenience
    }
    return decoded;
  }
}
