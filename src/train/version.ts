import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Of this package. */
export const ownVersion: string = (createRequire(import.meta.url)('../../package.json') as { readonly version: string })
  .version;

/** Commit of the clone that runs; null for an installed package. */
export function ownCommit(): string | null {
  if (!existsSync(join(root, '.git'))) return null;
  try {
    const said = execFileSync('git', ['-C', root, 'rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.trim();
  } catch {
    return null;
  }
}
