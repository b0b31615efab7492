import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnsembleTraining } from '../analysis/ensemble/training.ts';
import { evaluatePacked, packForData } from '../analysis/packed-evaluation.ts';
import { Batches } from '../data/batches.ts';
import { inClassOrder } from '../data/class-order.ts';
import type { DataSet, PixelSplit, Split } from '../data/dataset.ts';
import { methodNamed } from '../methods/table.ts';
import { buildNetwork } from '../models/table.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { evaluate } from './evaluate.ts';
import { type FinishedRun, trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { teacherFor } from './teacher.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-data-of-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const options = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'vgg-small',
  method: 'float',
  data: 'blobs',
  width: 0.125,
  epochs: 1,
  batch: 32,
  optimizer: 'adam',
  rate: 0.003,
  ...changes,
});

const blobs = blobData();
/** The same images, their classes listed the other way round, their statistics measured otherwise. */
const turned = (of: Split): Split => ({ ...of, labels: of.labels.map((label) => 3 - label) });
const other: DataSet = {
  ...blobs,
  classes: [...blobs.classes].reverse(),
  train: turned(blobs.train),
  test: turned(blobs.test),
  mean: [0.7],
  std: [0.9],
};
const notes: string[] = [];
const onNote = (line: string) => notes.push(line);

test('a run resumed on the same images in another order, with other statistics, ends as one that was never stopped', async () => {
  const file = (name: string) => join(directory, name);
  await trainRun(file('parts'), options({ epochs: 1, schedule: 'constant' }), blobs);
  const begun = new RunFolder(file('parts'));
  begun.writeConfig({ ...begun.readConfig(), epochs: 2 });
  notes.length = 0;
  const parts = await trainRun(file('parts'), options({ epochs: 2, schedule: 'constant' }), other, {
    existing: 'resume',
    onNote,
  });
  expect(notes).toEqual(["blobs has the model's classes in another order: its labels are mapped"]);
  expect(parts.data.classes).toEqual(blobs.classes);
  const steady = await trainRun(file('steady'), options({ epochs: 2, schedule: 'constant' }), blobs);
  expect(parts.network.parameters().map(({ value }) => value.data)).toEqual(
    steady.network.parameters().map(({ value }) => value.data),
  );
});

test('a run that was begun on the order of the files goes on with it, and a later one with that of the classes', async () => {
  const sorted = inClassOrder(blobs as DataSet<PixelSplit>);
  const weights = ({ network }: FinishedRun) => network.parameters().map(({ value }) => value.data);
  const ends = async (name: string, first: DataSet, then: DataSet) => {
    const config = (epochs: number) => options({ epochs, schedule: 'constant', validation: 20 });
    await trainRun(join(directory, name), config(1), first);
    const begun = new RunFolder(join(directory, name));
    begun.writeConfig({ ...begun.readConfig(), epochs: 2 });
    return weights(await trainRun(join(directory, name), config(2), then, { existing: 'resume' }));
  };
  // `blobs` says nothing of its order, as checkpoints of version 0.1 do
  const old = await ends('old', blobs, sorted);
  expect(old).toEqual(await ends('steady', blobs, blobs));
  const later = await ends('later', sorted, sorted);
  expect(later).not.toEqual(old);
});

test('log, report and evaluation say whether the pixels are the published ones; of sets nobody knows, nothing', async () => {
  for (const [originalPixels, said] of [
    [true, /blobs, original pixels, 1 epochs/],
    [false, /blobs, not the original pixels \(recompressed\?\), 1 epochs/],
    [undefined, /blobs, 1 epochs/],
  ] as const) {
    const folder = new RunFolder(join(directory, String(originalPixels)));
    const data = originalPixels === undefined ? blobs : { ...blobs, originalPixels };
    await trainRun(folder, options({ limit: 64 }), data);
    expect(folder.readMetrics()[0]!.originalPixels).toBe(originalPixels);
    expect(readFileSync(folder.file('report.html'), 'utf8')).toMatch(said);
    expect(JSON.parse(readFileSync(folder.file('evaluation.json'), 'utf8')).originalPixels).toBe(originalPixels);
  }
});

test('what a network learns from or starts from says the order of classes and the normalisation', async () => {
  const teacher = join(directory, 'teacher');
  await trainRun(teacher, options(), blobs);
  for (const [name, more] of [
    ['taught', { method: 'apprentice-b', teacher }],
    ['started', { method: 'bnn', init: teacher }],
  ] as const) {
    const { data, network, evaluation } = await trainRun(join(directory, name), options(more), other);
    expect([data.classes, data.mean, data.std]).toEqual([blobs.classes, blobs.mean, blobs.std]);
    const { model } = await packForData(network, data);
    // packed, it finds the classes by name in either order
    for (const of of [blobs, other]) expect((await evaluatePacked(model, of)).top1).toBeCloseTo(evaluation!.top1, 12);
  }
  const student = buildNetwork({
    model: 'vgg-small',
    method: 'apprentice-b',
    inputShape: [8, 8, 1],
    classes: 4,
    width: 0.125,
    seed: 1,
  });
  expect(() => teacherFor(methodNamed('apprentice-b'), student, teacher, other)).toThrow(/classes in another order/);
  expect(teacherFor(methodNamed('apprentice-b'), student, teacher, blobs)).not.toBeNull();
  const fewer = { ...other, classes: ['d', 'c', 'b', 'x'] };
  await expect(trainRun(join(directory, 'x'), options({ method: 'apprentice-b', teacher }), fewer)).rejects.toThrow(
    /does not know x/,
  );
  // weights are a start for other classes too, under the normalisation that they know
  const { data } = await trainRun(join(directory, 'y'), options({ method: 'bnn', init: teacher }), fewer);
  expect([data.classes, data.mean]).toEqual([fewer.classes, blobs.mean]);
});

test('an ensemble continued on images in another order votes as one network', async () => {
  const training = parseConfig(options({ method: 'bnn' }));
  const ensemble = { form: 'bagging', vote: 'soft', size: 1, sequential: false, training, members: [] } as const;
  const silent = { onMember: () => ({}), onTrained: () => {} };
  const first = await new EnsembleTraining(directory, { ...ensemble, members: [] }, blobs).run(silent);
  const again = new EnsembleTraining(directory, { ...first!, size: 2 }, other);
  expect(again.notes).toHaveLength(1);
  const both = await again.run(silent);
  expect(both!.members[1]!.voteAccuracy).toBeGreaterThan(0.6);
});

test('a network of more classes than the labels’ is refused, not read with a wrong stride', async () => {
  const network = buildNetwork({
    model: 'vgg-small',
    method: 'float',
    inputShape: [8, 8, 1],
    classes: 5,
    width: 0.125,
    seed: 1,
  });
  network.setTraining(false);
  const classify = (images: Float32Array, count: number) =>
    inference(() => network.forward(new Tensor(images, [count, ...blobs.shape])).data.slice());
  await expect(evaluate(classify, new Batches(blobs, blobs.test, 16), 4)).rejects.toThrow(
    /answers 16 images by 80 values, not 64/,
  );
});
