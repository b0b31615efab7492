// Compiles the AssemblyScript kernels twice: plain SIMD128, and relaxed SIMD for engines that have it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../kernels/wasm/', import.meta.url));
for (const target of ['simd', 'relaxed']) {
  const { status } = spawnSync('npx', ['--no-install', 'asc', '--config', 'asconfig.json', '--target', target], {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
