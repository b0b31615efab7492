import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBoundedJson } from './bounded-json.ts';
import { FormatError } from './errors.ts';

const most = { depth: 100, values: 10_000 };

test('JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.boolean(), (json, spaced) => {
      fc.pre(!json.includes('__proto__'));
      const text = spaced ? JSON.stringify(JSON.parse(json), null, '\t') : json;
      expect(parseBoundedJson(text, most)).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['[[[1]]]', { depth: 2, values: 10 }, /more than 2 deep/],
  ['[1,2,3]', { depth: 2, values: 3 }, /more than 3 values/],
  ['{"a":{"b":1},"b":2,"a":3}', most, /the name "a" comes twice/],
  ['{"a\\"":1,"a\\u0022" :3}', most, /comes twice/],
  ['[{"__proto__":{}}]', most, /"__proto__" is not allowed/],
  ['{"\\u005f_proto__":{}}', most, /"__proto__" is not allowed/],
  ['{"a":1', most, /not valid JSON/],
  ['{"a', most, /not valid JSON/],
  ['{"\\x":1}', most, /not valid JSON/],
  ['', most, /not valid JSON/],
])('%s is refused', (text, bounds, message) => {
  expect(() => parseBoundedJson(text, bounds)).toThrow(FormatError);
  expect(() => parseBoundedJson(text, bounds)).toThrow(message);
});

test('names that are texts, and names of other objects, may be the same', () => {
  const text = '{"a":"a","b":[{"a":"b"},{"a":"{\\"a\\":1}"}]}';
  expect(parseBoundedJson(text, most)).toEqual(JSON.parse(text));
});

test('text without end in any form is refused in the time it takes to read it', () => {
  for (const text of ['['.repeat(1e7), '{"a":'.repeat(1e6), `[${'0,'.repeat(5e6)}0]`, `"${'\\'.repeat(1e7)}`])
    expect(() => parseBoundedJson(text, most)).toThrow(FormatError);
});
