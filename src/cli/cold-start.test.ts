import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The modules of src/ and the packages that are loaded with a module, before anything is imported on demand. */
function loadedWith(entry: string): { modules: string[]; packages: string[] } {
  const modules = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (modules.has(file)) return;
    modules.add(file);
    const statements = /^(?:import|export)\s(?!type\s)(?:([^;'=()]*?)\sfrom\s)?'([^']+)'/gm;
    for (const [, names = '', from = ''] of readFileSync(file, 'utf8').matchAll(statements)) {
      const listed = /^\{([^}]*)\}/
        .exec(names.trim())?.[1]
        ?.split(',')
        .filter((name) => name.trim());
      if (listed?.every((name) => name.trim().startsWith('type '))) continue;
      if (from.startsWith('.')) visit(join(dirname(file), from));
      else if (!from.startsWith('node:') && !from.startsWith('#')) packages.add(from);
    }
  };
  visit(join(root, entry));
  return { modules: [...modules].map((file) => relative(root, file)), packages: [...packages].sort() };
}

test('signum --help loads the list of commands and nothing behind it', () => {
  const { modules, packages } = loadedWith('src/cli/program.ts');
  expect(packages).toEqual(['commander']);
  expect(modules.filter((file) => !/^src\/(cli|core)\//.test(file))).toEqual([]);
  expect(modules.length).toBeLessThan(6);
});

test('signum predict loads the runtime, no training, no methods, no validation library; the decoder when an image is read', () => {
  const { modules, packages } = loadedWith('src/cli/predict.ts');
  expect(packages).toEqual(['commander', 'fflate']);
  const foreign = /^src\/(train|methods|models|nn|tensor|optim|pack|binarize|formats)\//;
  expect(modules.filter((file) => foreign.test(file))).toEqual([]);
});

test('the import graph is followed at all', () => {
  expect(loadedWith('src/cli/train.ts').packages).toContain('zod');
  expect(loadedWith('src/cli/train.ts').modules).toContain('src/methods/bnn.ts');
});
