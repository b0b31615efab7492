import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../core/safetensors.ts';
import type { PixelSplit } from './dataset.ts';
import { writeFileAtomic } from './files.ts';
import { cacheRoot } from './locate.ts';
import type { UnusedFile } from './picture-files.ts';

/** What was decoded, and what was left out. */
export interface DecodedSplit {
  readonly split: PixelSplit;
  readonly skipped: readonly UnusedFile[];
  readonly broken: readonly UnusedFile[];
}

/** A key that changes when a source file or the decoding does. */
function cacheFile(source: string, detail: string): string {
  const { size, mtimeMs } = statSync(source);
  const key = createHash('sha256')
    .update(JSON.stringify([source, size, mtimeMs, detail, 2]))
    .digest('hex');
  return join(cacheRoot(), `${key.slice(0, 24)}.safetensors`);
}

/** A decoded split from the cache, or decoded now and cached; an unwritable or damaged cache only costs time. */
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
    const { skipped, broken } = JSON.parse(metadata['unused']!) as Pick<DecodedSplit, 'skipped' | 'broken'>;
    return { split: { count: labels.length, labels, pixels }, skipped, broken };
  } catch {
    const decoded = await decode();
    const { split, skipped, broken } = decoded;
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
          { unused: JSON.stringify({ skipped, broken }) },
        ),
      );
    } catch {
      // the cache is a convenience
    }
    return decoded;
  }
}
