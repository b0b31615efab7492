// Makes the tarballs that are published: stages each package with its published manifest, and packs it.
//   node scripts/pack.mjs [--out packed] [--no-build]
// The clone's manifest names no platform package, since `npm ci` refuses what is not on the registry; the published one does, and it has
// no install script and no binding.gyp at its root, so that installing runs nothing.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildNative } from './build-native.mjs';
import { dynamicSymbols, stubsOfOlderGlibc, versionNumber } from './older-glibc.mjs';

/** What Node 20's own binaries ask for: Debian 10, RHEL 8, Ubuntu 18.10 and newer. */
const newestGlibc = '2.28';

const root = fileURLToPath(new URL('..', import.meta.url));
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

/** The packages in packages/, each with its folder. */
const members = readdirSync(join(root, 'packages')).map((name) => {
  const folder = join(root, 'packages', name);
  return { folder, manifest: readJson(join(folder, 'package.json')) };
});

/** The main package's manifest as published. */
export function publishedManifest() {
  const {
    scripts: _scripts,
    devDependencies: _tools,
    workspaces: _members,
    gypfile: _gyp,
    ...manifest
  } = readJson(join(root, 'package.json'));
  return withAddons(manifest);
}

/** The manifest of a package in packages/ as published: npm refuses a workspace member that is made for another system. */
export function memberManifest({ platform, ...manifest }) {
  return holdsRuntime(manifest) ? withAddons(manifest) : { ...manifest, ...platform };
}

/** What finds native kernels names the packages that have them. */
function withAddons(manifest) {
  const platforms = members.filter(({ manifest: { platform } }) => platform);
  const addons = Object.fromEntries(platforms.map(({ manifest: { name, version } }) => [name, version]));
  return { ...manifest, optionalDependencies: { ...manifest.optionalDependencies, ...addons } };
}

/** @signum-bnn/runtime ships a part of the build, and has nothing of its own. */
const holdsRuntime = ({ files }) => files.includes('dist');

/** The files of `signum-bnn/runtime` where they lie there, so that their relative addresses hold. Types are held once: `import` may take those of `require`. */
function stageRuntime(folder) {
  for (const name of ['backend/bundle', 'backend/wasm/signum.wasm', 'backend/wasm/signum-relaxed.wasm', 'cjs'])
    cpSync(join(root, 'dist', name), join(folder, 'dist', name), { recursive: true });
  mkdirSync(join(folder, 'dist/runtime'));
  writeFileSync(join(folder, 'dist/runtime/index.d.ts'), "export * from '../cjs/runtime/index.js';\n");
}

function stageMain(folder) {
  for (const name of publishedManifest().files.filter((pattern) => !/[!*]/.test(pattern)))
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const name of ['README.md', 'LICENSE']) copyFileSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'binding.gyp'), join(folder, 'kernels/native/binding.gyp'));
  writeJson(join(folder, 'package.json'), publishedManifest());
}

/** @throws Error when the addon needs a newer system than promised */
export function checkAddon(file) {
  const needed = dynamicSymbols(file, 'undefined');
  const late = needed.filter(
    ({ library, version }) => library !== 'GLIBC' || versionNumber(version) > versionNumber(newestGlibc),
  );
  if (late.length > 0)
    throw new Error(
      `${file} needs ${late.map(({ name, library, version }) => `${name} of ${library} ${version}`).join(', ')}: expected glibc ${newestGlibc} at most`,
    );
  return needed.reduce(
    (newest, { version }) => (versionNumber(version) > versionNumber(newest) ? version : newest),
    '0',
  );
}

function stageMember({ folder: source, manifest }, folder) {
  cpSync(source, folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeJson(join(folder, 'package.json'), memberManifest(manifest));
  if (holdsRuntime(manifest)) stageRuntime(folder);
  if (!manifest.platform) return;
  const stubs = join(folder, 'older-glibc');
  stubsOfOlderGlibc(stubs, newestGlibc);
  const addon = join(folder, manifest.main);
  buildNative(addon, [`older_glibc=${stubs}`]);
  rmSync(stubs, { recursive: true });
  console.error(`${manifest.name}: newest symbol of glibc ${checkAddon(addon)}`);
}

const isForHere = ({ manifest: { platform } }) =>
  !platform || (platform.os.includes(process.platform) && platform.cpu.includes(process.arch));

function main() {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'packed' }, 'no-build': { type: 'boolean' } },
  });
  const out = resolve(root, values.out);
  const npm = (...args) =>
    execFileSync('npm', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    });
  if (!values['no-build']) {
    rmSync(join(root, 'dist'), { recursive: true, force: true }); // yesterday's modules would be packed too
    npm('run', '--silent', 'build');
  }
  mkdirSync(out, { recursive: true });
  for (const file of readdirSync(out).filter((name) => name.endsWith('.tgz'))) rmSync(join(out, file));
  const stage = mkdtempSync(join(tmpdir(), 'signum-pack-'));
  try {
    const staged = [join(stage, 'signum-bnn')];
    mkdirSync(staged[0]);
    stageMain(staged[0]);
    for (const member of members) {
      if (!isForHere(member)) {
        console.error(`${member.manifest.name}: left out, it is packed on its own system`);
        continue;
      }
      const folder = join(stage, member.manifest.name.replaceAll(/[@/]/g, '_'));
      stageMember(member, folder);
      staged.push(folder);
    }
    for (const folder of staged)
      console.log(join(out, npm('pack', folder, '--pack-destination', out, '--ignore-scripts', '--silent').trim()));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] && existsSync(process.argv[1]) && fileURLToPath(import.meta.url) === resolve(process.argv[1]))
  main();
