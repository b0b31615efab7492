import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import type { DataSet, FileSplit, PixelSplit } from './dataset.ts';
import { fitToModel, type ModelImages } from './fit-model.ts';

const split = (labels: number[]): PixelSplit => ({
  count: labels.length,
  labels: Uint16Array.from(labels),
  pixels: new Uint8Array(labels.length * 4 * 4 * 3),
});
const dataOf = (classes: string[], labels: number[], changes: Partial<DataSet> = {}): DataSet => ({
  name: 'photos',
  shape: [4, 4, 3],
  classes,
  train: split(labels),
  test: split(labels),
  mean: [0.1, 0.2, 0.3],
  std: [1, 1, 1],
  ...changes,
});
const model = (classes: string[], changes: Partial<ModelImages> = {}): ModelImages => ({
  shape: [4, 4, 3],
  classes,
  mean: [0.5, 0.5, 0.5],
  std: [0.2, 0.2, 0.2],
  ...changes,
});

test('every image keeps the name of its class, whatever order the two have, and the normalisation is the model’s', () => {
  const names = ['ant', 'bee', 'cat', 'dog', 'elk'];
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 5 }), (seed, count) => {
      const random = new Random(seed);
      const shuffled = (list: string[]) => Array.from(random.permutation(list.length), (i) => list[i]!);
      const [ours, theirs] = [shuffled(names).slice(0, count), shuffled(names)];
      const labels = Array.from({ length: 12 }, () => random.integer(count));
      const given = dataOf(ours, labels);
      const { data, notes } = fitToModel(given, model(theirs), 'evaluate');
      for (const part of ['train', 'test'] as const)
        expect(Array.from(data[part].labels, (label) => data.classes[label])).toEqual(
          labels.map((label) => ours[label]),
        );
      expect([data.classes, data.mean, data.std]).toEqual([theirs, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2]]);
      expect([...given.train.labels]).toEqual(labels);
      expect(notes.length > 0).toBe(ours.join() !== theirs.join());
      expect(fitToModel(data, model(theirs), 'train')).toEqual({ data, notes: [] });
    }),
  );
});

test('another order and a subset are said', () => {
  expect(fitToModel(dataOf(['dog', 'cat'], [0]), model(['cat', 'dog']), 'train').notes).toEqual([
    "photos has the model's classes in another order: its labels are mapped",
  ]);
  expect(fitToModel(dataOf(['cat', 'owl'], [1]), model(['cat', 'dog', 'owl']), 'evaluate').notes).toEqual([
    "photos has 2 of the model's 3 classes (cat, owl): it is judged on these",
  ]);
});

test('a class that the model does not know is refused, and in training one that the data lost', () => {
  const three = model(['cat', 'dog', 'owl']);
  for (const use of ['evaluate', 'train'] as const)
    expect(() => fitToModel(dataOf(['cat', 'fox'], [0]), three, use)).toThrow(
      /the model does not know fox of photos; it tells 3 classes apart: cat, dog, owl\. Give data of its classes with --data/,
    );
  expect(() => fitToModel(dataOf(['cat', 'dog'], [0]), three, 'train')).toThrow(
    /photos no longer has owl.*Put the images back/,
  );
});

test('a name is the same in composed and decomposed letters', () => {
  expect(
    fitToModel(dataOf(['e\u0301te', 'hiver'], [1]), model(['hiver', '\u00e9te']), 'train').data.test.labels[0],
  ).toBe(0);
});

describe('images of another size or channel count', () => {
  const classes = ['cat', 'dog'];
  test.each([
    [[8, 8, 3], /takes images of 8x8x3, photos has 4x4x3; give data of its size and channels/],
    [[4, 4, 1], /takes images of 4x4x1, photos has 4x4x3/],
  ] as const)('%j are refused', (shape, message) => {
    expect(() => fitToModel(dataOf(classes, [0]), model(classes, { shape, mean: [0], std: [1] }), 'evaluate')).toThrow(
      message,
    );
  });

  const files: FileSplit = { count: 1, labels: Uint16Array.of(0), files: ['a.png'] };
  const folder = { train: files, test: files };
  test('of a folder at a size that somebody asked for too, and it says which to ask for', () => {
    expect(() => fitToModel(dataOf(classes, [], folder), model(classes, { shape: [8, 8, 3] }), 'evaluate')).toThrow(
      /give photos@8, or the folder without a size/,
    );
  });
  test('of a folder at no size are decoded as the model takes them', () => {
    const of = dataOf(classes, [], { ...folder, anyShape: true });
    const { data, notes } = fitToModel(of, model(classes, { shape: [9, 7, 1], mean: [0], std: [1] }), 'evaluate');
    expect(data.shape).toEqual([9, 7, 1]);
    expect(notes).toEqual(['photos is decoded at 9x7x1, as the model takes it']);
  });
});
