import { expect, test } from 'vitest';
import { Batches } from '../data/batches.ts';
import { classification } from '../tasks/classification.ts';
import { drawingsSchema, picturesOf } from './drawings.ts';
import { evaluate } from './evaluate.ts';
import { blobData } from './synthetic.testing.ts';

const data = blobData();
const batches = new Batches(data, data.test, 16);
/** Logits by place: class 0 always, the surer the later the image. */
function sure(place: number): number[] {
  return [place / 10, 0, 0, 0];
}

function answersOf(logitsOf: (place: number) => number[]) {
  let place = 0;
  return (_images: Float32Array, count: number) =>
    Float32Array.from(Array.from({ length: count }, () => logitsOf(place++)).flat());
}

test('the most confident mistakes are kept, with their pictures', async () => {
  const evaluation = await evaluate(answersOf(sure), batches, 4);
  const { mistakes, top1, notFinite } = evaluation;
  expect([top1, notFinite]).toEqual([0.25, 0]);
  expect(mistakes).toHaveLength(24);
  const wrong = Array.from({ length: 64 }, (_, i) => 63 - i).filter((place) => place % 4 !== 0);
  expect(mistakes.map(({ place }) => place)).toEqual(wrong.slice(0, 24));
  const [first] = mistakes;
  expect(first).toMatchObject({ truth: 3, taken: 0, confidence: expect.closeTo(1 / (1 + 3 * Math.exp(-6.3)), 6) });
  const drawings = classification.draw!(evaluation, data);
  const shown = await picturesOf(drawings.slice(0, 2), data, data.test);
  const lines = [[{ name: 'd' }], ['taken for ', { name: 'a' }], ['99.5 % sure']];
  expect(shown).toMatchObject([
    { alt: 'd, taken for a', lines, picture: { width: 8, height: 8 } },
    { alt: 'c, taken for a', picture: { width: 8, height: 8 } },
  ]);
  expect(drawingsSchema.parse(shown)).toEqual(shown);
  // as runs of before kept them
  const { confidence } = mistakes[0]!;
  expect(drawingsSchema.parse([{ picture: shown[0]!.picture, truth: 'd', taken: 'a', confidence }])).toEqual([
    shown[0],
  ]);
  expect(await picturesOf([], data, data.test)).toEqual([]);
});

test('answers that are not finite are wrong, and counted', async () => {
  const broken = (place: number) => (place < 32 ? [Number.NaN, Number.NaN, Number.NaN, Number.NaN] : sure(place));
  const { top1, top5, notFinite, confusion } = await evaluate(answersOf(broken), batches, 4);
  expect([top1, top5, notFinite]).toEqual([8 / 64, 0.5, 32]);
  expect(confusion.flat().reduce((a, b) => a + b)).toBe(32);
});
