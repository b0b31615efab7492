import { beforeEach, expect, test } from 'vitest';
import { floats, pool, words } from './storage.ts';
import { inference, trainingStep } from './tape.ts';

beforeEach(() => pool.clear());

const bytesOf = (images: number) => 4 * (1000 * images + 10 * images + 100 * images);
const evaluate = (images: number) =>
  inference(() => {
    floats(1000 * images);
    words(10 * images);
    floats(100 * images);
  });

test('evaluation of batches of every size keeps arrays of few of them', () => {
  for (let images = 1; images <= 64; images++) evaluate(images);
  expect(pool.bytes).toBeGreaterThanOrEqual(bytesOf(64));
  expect(pool.bytes).toBeLessThanOrEqual(2 * bytesOf(64));
});

test('nothing is created after the first round of training steps and evaluations, also inside one another', () => {
  const round = () => {
    for (let step = 0; step < 3; step++)
      trainingStep(() => {
        floats(50_000);
        evaluate(20);
        floats(7000);
      });
    for (let batch = 0; batch < 3; batch++) evaluate(64);
  };
  round();
  const { created, bytes } = pool;
  for (let i = 0; i < 5; i++) round();
  expect({ created: pool.created, bytes: pool.bytes }).toEqual({ created, bytes });
});

test('a pool that was cleared, also with arrays out, counts anew', () => {
  inference(() => {
    floats(10);
    pool.clear();
  });
  evaluate(1);
  expect(pool.bytes).toBeGreaterThanOrEqual(bytesOf(1));
  for (let images = 1; images <= 8; images++) evaluate(images);
  expect(pool.bytes).toBeLessThanOrEqual(2 * bytesOf(8) + 40);
});
