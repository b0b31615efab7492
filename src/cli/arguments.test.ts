import { expect, test } from 'vitest';
import { byteSize } from './arguments.ts';

test.each([
  ['4GiB', 4 * 2 ** 30],
  ['1.5 MiB', 1.5 * 2 ** 20],
  ['500MB', 5e8],
  ['1024', 1024],
])('%s is a size', (text, bytes) => expect(byteSize(text)).toBe(bytes));

test.each(['', 'GiB', '4gigs', '-1GB', '0', '1e9', '4 GiB!', '1.2.3MB'])('%j is none', (text) =>
  expect(() => byteSize(text)).toThrow(/expected a size such as 4GiB/),
);
