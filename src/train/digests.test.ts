import { afterAll, describe, expect, test } from 'vitest';
import { nativeAddon, nativeKernels } from '../backend/native/binding.ts';
import { useKernels } from '../backend/select.ts';
import { type DigestRun, digestOf, digestRuns, digests } from './digests.testing.ts';

const addon = nativeAddon();
const sets = addon instanceof Error ? [] : addon.instructionSets();
/** The scalar set emulates fused multiply-adds: products of floats take it ten times as long. */
const quick: ReadonlySet<DigestRun> = new Set(['ir-net', 'xnor-net', 'dorefa-w1a2']);
const runsOf = (set: string) =>
  (Object.keys(digestRuns) as DigestRun[]).filter((run) => set !== 'scalar' || quick.has(run));
const threadsOf = (set: string) => (set === 'scalar' ? [2] : [1, 2, 4]);
const threads = (count: number) => (addon instanceof Error ? 1 : addon.threads(count));
const before = threads(0);
afterAll(() => void threads(before));

// scripts/check-emulated.mjs asks emulated AVX-512 and NEON for the same
describe.each(sets)('%s', (set) => {
  test.each(runsOf(set))(
    'an epoch of %s ends with the weights of every other machine, whatever the threads',
    async (method) => {
      useKernels(nativeKernels(set)!);
      for (const count of threadsOf(set)) {
        threads(count);
        expect(await digestOf(method), `${count} threads`).toBe(digests[method]);
      }
    },
  );
});
