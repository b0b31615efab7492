import { expect, test } from 'vitest';
import { Random } from './random.ts';

test('many uniform numbers at once are those drawn one by one, and leave the same state', () => {
  const [together, single] = [new Random(7), new Random(7)];
  const many = new Float32Array(1000);
  together.fillUniform(many, -1, 3);
  expect([...many]).toEqual(Array.from(many, () => Math.fround(single.uniform(-1, 3))));
  expect(together.state).toEqual(single.state);
});
