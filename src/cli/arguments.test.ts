import { expect, test } from 'vitest';
import { byKind, byteSize } from './arguments.ts';

test.each([
  ['4GiB', 4 * 2 ** 30],
  ['1.5 MiB', 1.5 * 2 ** 20],
  ['500MB', 5e8],
  ['1024', 1024],
])('%s is a size', (text, bytes) => expect(byteSize(text)).toBe(bytes));

test.each(['', 'GiB', '4gigs', '-1GB', '0', '1e9', '4 GiB!', '1.2.3MB'])('%j is none', (text) =>
  expect(() => byteSize(text)).toThrow(/expected a size such as 4GiB/),
);

test('numbers by kind of parameter are read from a list, and refused with the kinds there are', () => {
  expect(byKind('latents=0.01, norms=1e-3')).toEqual({ latents: 0.01, norms: 0.001 });
  expect(() => byKind('biases=1')).toThrow(/latents, weights, norms, quantizers, rest, got "biases=1"/);
  expect(() => byKind('norms')).toThrow(/got "norms"/);
  expect(() => byKind('norms=fast')).toThrow(/fast/);
});
