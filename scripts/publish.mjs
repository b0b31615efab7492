// Publishes what scripts/pack.mjs packed, packages for one system before those that name them, signum-bnn at the end.
// node scripts/publish.mjs [--dry-run] [--tag v0.2.0] [folder of the tarballs]
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean' }, tag: { type: 'string' } },
  allowPositionals: true,
});
const rank = ({ os, name }) => (os ? 0 : name === 'signum-bnn' ? 2 : 1);
const folder = resolve(positionals[0] ?? 'packed');
const packages = readdirSync(folder)
  .filter((name) => name.endsWith('.tgz'))
  .map((name) => {
    const file = join(folder, name);
    return {
      file,
      manifest: JSON.parse(execFileSync('tar', ['-xOf', file, 'package/package.json'], { encoding: 'utf8' })),
    };
  })
  .sort((a, b) => rank(a.manifest) - rank(b.manifest));
const main = packages.find(({ manifest }) => manifest.name === 'signum-bnn');
if (!main) throw new Error(`no tarball of signum-bnn in ${folder}: node scripts/pack.mjs makes it`);

const { version } = main.manifest;
if (values.tag !== undefined && values.tag !== `v${version}`)
  throw new Error(`the tag is ${values.tag}, the package's version ${version}: expected v${version}`);
const packed = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]));
for (const { manifest } of packages)
  for (const [name, wanted] of Object.entries(manifest.optionalDependencies ?? {}))
    if (name.startsWith('@signum-bnn/') && packed.get(name) !== wanted)
      throw new Error(
        `${manifest.name} ${manifest.version} names ${name} ${wanted}, packed is ${packed.get(name) ?? 'none'}`,
      );
if (packed.get('@signum-bnn/runtime') !== version)
  throw new Error(
    `packed is @signum-bnn/runtime ${packed.get('@signum-bnn/runtime') ?? 'none'}: expected ${version}, the same build`,
  );

for (const { file, manifest } of packages) {
  console.error(`${manifest.name} ${manifest.version}`);
  const options = values['dry-run'] ? ['--dry-run'] : process.env.GITHUB_ACTIONS ? ['--provenance'] : [];
  execFileSync('npm', ['publish', file, '--access', 'public', '--ignore-scripts', ...options], { stdio: 'inherit' });
}
