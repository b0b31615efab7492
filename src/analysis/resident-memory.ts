import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { SignumError } from '../core/errors.ts';

const report = z.strictObject({ alone: z.number(), resident: z.number() });

/** Bytes of physical memory of a process that does nothing but run a network. */
export interface ResidentMemory {
  /** Before Signum and the network are loaded: what Node takes by itself. */
  readonly alone: number;
  /** While it runs. */
  readonly resident: number;
}

/**
 * Measures the memory that running a packed network takes, in a process of its own: in one that holds two networks and has trained, nobody
 * could say what is whose.
 *
 * @param bytes of the packed file
 * @param batch images per run
 * @param plugins files of those that have its ops
 * @throws SignumError when the process fails
 */
export function residentMemory(bytes: Uint8Array, batch: number, plugins: readonly string[] = []): ResidentMemory {
  // the built file, or, when this module itself runs from TypeScript (tests), the source through tsx
  const fromSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`./resident-memory-process.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  const loader = fromSource ? ['--import', 'tsx'] : [];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [...loader, file, String(batch), ...plugins], {
    input: bytes,
    // where tsx is found from
    cwd: dirname(file),
    encoding: 'utf8',
  });
  if (status !== 0) throw new SignumError(`the process that measures memory failed: ${error?.message ?? stderr}`);
  return report.parse(JSON.parse(stdout));
}
