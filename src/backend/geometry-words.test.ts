import { expect, test } from 'vitest';
import { channelCopy } from '../core/block-copy.ts';
import { convGeometry } from '../core/conv-geometry.ts';
import { convWords, copyWords } from './geometry-words.ts';

test('a geometry that was written down once does not change any more', () => {
  const geometry = convGeometry('test', [1, 4, 4, 2], [3, 3, 2, 2], { pad: 1 });
  const words = convWords(geometry);
  expect(() => Object.assign(geometry, { batch: 2 })).toThrow(TypeError);
  expect(convWords(geometry)).toBe(words);
  expect(convWords({ ...geometry, batch: 2 })[0]).toBe(2);
  const copy = channelCopy(3, 2, { begin: 0, channels: 4 }, { begin: 1, channels: 3 });
  copyWords(copy);
  expect(() => Object.assign(copy.to, { offset: 9 })).toThrow(TypeError);
  expect(() => Object.assign(copy.counts, { 2: 9 })).toThrow(TypeError);
});
