import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernelLists } from './kernel-lists.testing.ts';
import { kernelTable } from './kernel-table.ts';

test.each([...kernelLists])('%s is what the tables say (write it with kernel-lists.testing.ts)', (file, text) => {
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test.each(['signum', 'signum-relaxed'])('%s.wasm exports every kernel with its arguments', async (build) => {
  const bytes = readFileSync(new URL(`./wasm/${build}.wasm`, import.meta.url));
  const { exports } = (await WebAssembly.instantiate(bytes, {})).instance;
  const taken = Object.fromEntries(
    Object.keys(kernelTable).map((name) => [name, (exports[name] as (() => void) | undefined)?.length]),
  );
  const asked = Object.entries(kernelTable).map(([name, row]) => [name, row.kinds.length + ('extra' in row ? 1 : 0)]);
  expect(taken).toEqual(Object.fromEntries(asked));
});
