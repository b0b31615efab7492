import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

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

/** Folder of each trained network of the package @signum-bnn/zoo, by its name; null where the package is not installed. */
export function zooFolders(): ReadonlyMap<string, string> | null {
  const folder = zooPackage();
  if (folder === null) return null;
  const networks = join(folder, 'networks');
  if (!existsSync(networks)) return new Map();
  return new Map(readdirSync(networks).map((name) => [name, join(networks, name)]));
}
