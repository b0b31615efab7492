import { expect, test } from 'vitest';
import { nativeAddon } from './native/binding.ts';
import { runProcess } from './process.testing.ts';

const program = new URL('./hostile-calls.testing.ts', import.meta.url);

const backends = [
  ...(nativeAddon() instanceof Error ? [] : [{ backend: 'native', calls: 100_000 }]),
  { backend: 'wasm', calls: 20_000 },
];

test.each(backends)(
  '$calls hostile calls of the $backend kernels neither crash nor hang',
  async ({ backend, calls }) => {
    const { end, output, errors } = await runProcess(program, [backend, calls, 0]);
    expect({ end, after: end === 0 ? '' : errors.trim().split('\n').at(-1) }).toEqual({ end: 0, after: '' });
    const { accepted, refused, slowest } = JSON.parse(output);
    expect(accepted + refused).toBe(calls);
    // both kinds are plenty: neither everything nor nothing is refused
    expect(Math.min(accepted, refused)).toBeGreaterThan(calls / 4);
    expect(slowest.ms, `call ${slowest.call}`).toBeLessThan(5000);
  },
  240_000,
);
