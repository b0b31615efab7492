import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { FormatError } from './errors.ts';
import { either, finite, flag, list, oneOf, optional, positive, type Read, record, text, whole } from './fields.ts';

type Flat<T> = { [K in keyof T]: T[K] };

const circle = record({ kind: oneOf('circle'), radius: positive, label: optional(text(5)) });
const path = record({
  kind: oneOf('path'),
  points: list(whole(0, 9), 1, 3),
  closed: flag,
  end: either(finite, oneOf('open', 'round')),
});

test('a value of the described fields is read as it is, without fields nobody asked for', () => {
  const given: unknown = { kind: 'circle', radius: 2, label: 'a', more: 1 };
  expect(circle(given, '')).toEqual({ kind: 'circle', radius: 2, label: 'a' });
  expect(Object.keys(circle({ kind: 'circle', radius: 2 }, ''))).toEqual(['kind', 'radius']);
  const line = { kind: 'path', points: [1, 2], closed: true, end: 'round' };
  expect(path(line, '')).toEqual(line);
  expectTypeOf<Flat<Read<typeof circle>>>().toEqualTypeOf<{
    kind: 'circle';
    radius: number;
    label?: string | undefined;
  }>();
});

test.each([
  [null, 'its root: expected an object, got null'],
  [{ kind: 'constructor' }, 'kind: expected one of "circle", got "constructor"'],
  [{ kind: 'circle', radius: 0 }, 'radius: expected a number above 0, got 0'],
  [{ kind: 'circle', radius: Number.POSITIVE_INFINITY }, 'radius: expected a finite number, got Infinity'],
  [{ kind: 'circle', radius: 1, label: 'toolong' }, 'label: expected text of at most 5 characters, got "toolong"'],
  [{ kind: 'path', points: [1, 2.5] }, 'points.1: expected a whole number from 0 to 9, got 2.5'],
  [{ kind: 'path', points: [] }, 'points: expected a list of 1 to 3, got a list of 0'],
  [{ kind: 'path', points: [1] }, 'closed: expected true or false, got nothing'],
  [
    { kind: 'path', points: [1], closed: true, end: '\u001b[2J' },
    'end: expected one of "open", "round", got "\\u001b[2J"',
  ],
])('%j is refused by the path of its first wrong field', (value, message) => {
  const read = (value as { kind?: string } | null)?.kind === 'path' ? path : circle;
  expect(() => read(value, '')).toThrow(new FormatError(message));
});

test('nothing but a FormatError comes out, whatever the JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(circle, path), (value, read) => {
      for (const given of [value, { ...(value as object), kind: read === circle ? 'circle' : 'path' }])
        try {
          read(given, '');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
    }),
  );
});
