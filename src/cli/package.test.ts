import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Everything a person reads or runs: pages, sources, scripts. */
function texts(): string[] {
  const inside = ['src', 'scripts', 'bench', 'docs', 'examples', 'kernels'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return [...readdirSync(root), ...inside, 'results/README.md'].filter(
    (file) => /\.(md|ts|mjs|sh|json|cpp|inl)$/.test(file) && statSync(join(root, file)).isFile(),
  );
}

test('the package is signum-bnn, with the commands signum and (for npx) signum-bnn', () => {
  expect(manifest.name).toBe('signum-bnn');
  expect(Object.keys(manifest.bin)).toEqual(['signum', 'signum-bnn']);
});

test("nothing installs, imports or fetches the registry's signum, which is somebody else's", () => {
  const stranger =
    /npx (-\S+ )*signum(?![-\w])|npm (i|install|add|rebuild|exec) (-\S+ )*signum(?![-\w])|from 'signum['/]/;
  const found = texts().flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => !line.includes('stranger = ') && stranger.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});
