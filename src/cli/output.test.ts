import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DataError } from '../core/errors.ts';
import { formatTable, print, reportError } from './output.ts';

let written = '';
beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written += text;
      return true;
    });
});
afterEach(() => vi.restoreAllMocks());

const hostile = 'cat\u001b]0;owned\u0007\u009b2J';

test('what files call themselves reaches no terminal raw: in errors, tables, lines and JSON', () => {
  expect(reportError(new DataError(`${hostile}\nsecond line`), true)).toBe(1);
  print(`${formatTable([hostile, 'n'], [[`${hostile}\r\n`, '1']])}\n`);
  print(`${JSON.stringify({ label: hostile })}\n`);
  expect(written).toContain('error: cat\\u001b]0;owned\\u0007\\u009b2J\nsecond line\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(written).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(JSON.parse(written.trim().split('\n').at(-1)!)).toEqual({ label: hostile });
});

test('every command prints through it', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const raw = readdirSync(folder)
    .filter((file) => !file.endsWith('.test.ts') && file !== 'output.ts')
    .flatMap((file) =>
      [...readFileSync(`${folder}${file}`, 'utf8').matchAll(/process\.std\w+\.write\((?!'\\r'\))/g)].map(() => file),
    );
  expect(raw).toEqual([]);
});
