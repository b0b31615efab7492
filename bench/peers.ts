import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./peers/', import.meta.url));
const packages = ['onnxruntime-node', 'onnxruntime-web', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'];

/** Loads a peer from bench/peers, installing all of them there on first use (their install scripts would download binaries). */
export function requirePeer<T>(name: string): T {
  if (!existsSync(`${folder}node_modules/${name}`)) {
    process.stderr.write(`installing peers: ${packages.join(', ')}\n`);
    execFileSync('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-save', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return createRequire(`${folder}index.js`)(name) as T;
}

export const peerFile = (path: string): string => `${folder}node_modules/${path}`;

/** Debian's Python, with PyTorch and NumPy on OpenBLAS; installed by apt where we are root. */
export function python(script: string, args: readonly string[] = []): string {
  const interpreter = '/usr/bin/python3';
  const debian = ['python3-torch', 'libopenblas0-pthread']; // without the second NumPy falls back to the slow reference BLAS
  if (spawnSync('dpkg', ['-s', ...debian]).status !== 0) {
    process.stderr.write(`installing ${debian.join(' and ')}\n`);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...debian], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const { OPENBLAS_CORETYPE: _unset, ...env } = process.env;
  return outputOf(interpreter, script, args, { env });
}

/** What a script of bench/python prints. */
const outputOf = (interpreter: string, script: string, args: readonly string[], options: object): string =>
  execFileSync(interpreter, [fileURLToPath(new URL(`./python/${script}`, import.meta.url)), ...args], {
    ...options,
    encoding: 'utf8',
  });

/**
 * A Python with PyTorch 2.13: the one that `SIGNUM_BENCH_PYTHON` names, e.g. of a virtual environment outside the repository.
 *
 * @throws Error that says how to make one
 */
export function torchPython(script: string, args: readonly string[]): string {
  const interpreter = process.env['SIGNUM_BENCH_PYTHON'];
  const version =
    interpreter && spawnSync(interpreter, ['-c', 'import torch; print(torch.__version__)']).stdout?.toString();
  if (!version?.startsWith('2.13.'))
    throw new Error(
      `PyTorch 2.13 is the peer, ${interpreter ? `${interpreter} has ${version?.trim() || 'none'}` : 'SIGNUM_BENCH_PYTHON is not set'}: python3 -m venv DIR; DIR/bin/pip install torch==2.13.0+cpu; SIGNUM_BENCH_PYTHON=DIR/bin/python`,
    );
  return outputOf(interpreter!, script, args, { stdio: ['ignore', 'pipe', 'ignore'] });
}
