import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listed, printable, printableText, shellWord } from './printable.ts';

const hostile = fc.string({
  unit: fc.constantFrom('\u001b', '\u009b', '\u007f', '\r', '\n', '\u202e', '\ud800', 'a', 'é', '猫', '👩‍🔬', '[2J'),
});
const dangerous = /[\p{Cc}\p{Cs}\u202e]/u;

test('no control character, escape sequence or reversal of text is left; letters of every script are', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(printable(text)).not.toMatch(dangerous);
      expect(printableText(text).replaceAll('\n', '')).not.toMatch(dangerous);
    }),
  );
  expect(printable('été 猫 👩‍🔬.png')).toBe('été 猫 👩‍🔬.png');
  expect(printable('a\u001b[2Jb\n\u009bc')).toBe('a\\u001b[2Jb\\u000a\\u009bc');
});

test('of JSON it makes JSON of the same value', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const text = printableText(JSON.stringify({ [name]: name }));
      expect(text).not.toMatch(dangerous);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ [name]: name })));
    }),
  );
});

test('a long name loses its middle, a long list its end', () => {
  const short = printable('x'.repeat(5000), 21);
  expect(short).toBe(`${'x'.repeat(10)}…${'x'.repeat(10)}`);
  expect(listed(['a', 'b\r', 'c'], 2)).toBe('a, b\\u000d and 1 more');
  expect(listed(['a'])).toBe('a');
});

test('a word of a command line comes through a shell as it was', () => {
  expect(shellWord('./mine-1.mjs')).toBe('./mine-1.mjs');
  const words = ['a b', "it's", '{"a":[1,2]}', '$HOME', '`date`', 'a;b', '', '*', '~', '\\', '!'];
  const { stdout } = spawnSync('sh', [
    '-c',
    `for w in ${words.map(shellWord).join(' ')}; do printf '%s\\n' "$w"; done`,
  ]);
  expect(stdout.toString().split('\n').slice(0, -1)).toEqual(words);
});
