import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// newer versions of Node.js have it without being asked, and do not know the flag any more
const isAsked = Number.parseInt(process.versions.node, 10) < 21;

const source = (name: string) => fileURLToPath(new URL(`./src/backend/platform/${name}.ts`, import.meta.url));

export default defineConfig({
  resolve: { alias: { '#platform': source('node'), '#start-thread': source('node-threads') } },
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    // a worker per core, and one thread in each: kernels.testing.ts asks for two where threads are what is tested
    maxWorkers: '100%',
    env: { SIGNUM_THREADS: '1' },
    execArgv: isAsked ? ['--experimental-wasm-relaxed-simd'] : [],
  },
});
