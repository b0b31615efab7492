import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { quoted } from '../../core/printable.ts';

/** The package's folder: of the project that runs, or beside this package. */
function zooPackage(): string | null {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url])
    try {
      return dirname(createRequire(from).resolve('@signum-bnn/zoo/package.json'));
    } catch {
      // the next place
    }
  return null;
}

/** Folder of each trained network of the package @signum-bnn/zoo, by its name. @throws UsageError when it is not installed */
export function zooFolders(): ReadonlyMap<string, string> {
  const folder = zooPackage();
  if (folder === null)
    throw new UsageError(
      'the trained networks are in the package @signum-bnn/zoo, which is not installed here: `npm install @signum-bnn/zoo`',
    );
  const networks = join(folder, 'networks');
  if (!existsSync(networks)) return new Map();
  return new Map(readdirSync(networks).map((name) => [name, join(networks, name)]));
}

/** The folder of one. @throws UsageError when there is none of this name */
export function zooFolder(id: string): string {
  const folders = zooFolders();
  const folder = folders.get(id);
  if (folder !== undefined) return folder;
  throw new UsageError(`the zoo has no network ${quoted(id)}; it has ${[...folders.keys()].join(', ')}`);
}
