import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { FormatError } from '../core/errors.ts';
import type { RunFolder } from '../train/run-folder.ts';

const done = z.strictObject({
  /** The first figure of the task on the test images, accuracy of classifiers: of the trained network, and of the packed one; null where it does not pack. */
  accuracy: z.number(),
  packedAccuracy: z.number().nullable(),
  packedBytes: z.number().nullable(),
  floatBytes: z.number(),
  parameters: z.number(),
  /** Why it was not packed. */
  notPacked: z.string().optional(),
  failed: z.undefined().optional(),
});
const failed = z.strictObject({ failed: z.string() });

export type DoneResult = z.infer<typeof done>;

/** What a finished run came to; a diverged or refused one keeps its reason, and its place in the report. */
export type RunResult = DoneResult | z.infer<typeof failed>;

const resultFile = 'result.json';

export function writeResult(folder: RunFolder, result: RunResult): void {
  folder.write(resultFile, `${JSON.stringify(result, null, 2)}\n`);
}

/** Null while the run is not finished. @throws FormatError when the file is damaged */
export function readResult(folder: RunFolder): RunResult | null {
  const file = folder.file(resultFile);
  if (!existsSync(file)) return null;
  try {
    return z.union([done, failed]).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new FormatError(
      `${file} is damaged (${error instanceof Error ? error.message.split('\n')[0] : error}); delete it, and the run is finished again from its checkpoint`,
    );
  }
}
