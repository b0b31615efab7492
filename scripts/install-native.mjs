// Compiles the native kernels at install; without a compiler the install still succeeds and WebAssembly serves.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';

const built = 'build/Release/signum.node';
const sources = 'kernels/native';

// node-gyp-build keeps whatever loads: after an update of the sources it would be yesterday's kernels
if (existsSync(built) && existsSync(sources)) {
  const since = statSync(built).mtimeMs;
  if (readdirSync(sources).some((file) => statSync(`${sources}/${file}`).mtimeMs > since)) rmSync(built);
}

if (existsSync('binding.gyp')) {
  const result = spawnSync('npx', ['--no-install', 'node-gyp-build'], {
    encoding: 'utf8',
    env: { ...process.env, JOBS: 'max' },
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    const reason =
      (result.stderr ?? '').split('\n').find((line) => /error|not found|ERR!/i.test(line)) ?? 'no C++ compiler found';
    console.warn(
      `signum: native kernels were not built (${reason.trim().slice(0, 200)}); WebAssembly kernels will be used. Install g++ and make, then run \`npm rebuild signum-bnn\` for full speed.`,
    );
  }
}
