import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { methodNamed } from '../methods/table.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { adopt, teacherFor, trainedNetwork } from './teacher.ts';
import { trainerFor } from './trainer-for.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-teacher-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const networkOf = (method: string, width = 0.125, seed = 1) =>
  buildNetwork({ model: 'vgg-small', method, inputShape: [8, 8, 1], classes: 4, width, seed });

async function trained(name: string, options: Partial<TrainOptions>): Promise<string> {
  const folder = new RunFolder(join(directory, name));
  folder.lock();
  const config = parseConfig({
    model: 'vgg-small',
    data: 'blobs',
    width: 0.125,
    epochs: 1,
    batch: 32,
    method: 'float',
    ...options,
  });
  await trainerFor(config, blobData(), folder).run();
  return folder.path;
}

test('first weights: those of the same name and size; scales that are learned start from them', async () => {
  const { network: source } = trainedNetwork(await trained('float', {}), '--init');
  const network = networkOf('xnor-net-pp', 0.125, 7);
  adopt(network, source);
  const layers = (of: typeof network) =>
    of.modules().flatMap(({ value }) => (value instanceof BinaryConv2d ? [value] : []));
  const [ours, theirs] = [layers(network), layers(source)];
  for (const [i, layer] of ours.entries()) {
    expect(layer.weight.data).toEqual(theirs[i]!.weight.data);
    const first = layer.weight.data.filter((_, j) => j % layer.weight.channels === 0);
    const mean = first.reduce((sum, v) => sum + Math.abs(v), 0) / first.length;
    expect(layer.learned['weightScale']!.data[0]).toBeCloseTo(mean, 5);
  }
  // what the source had learned itself is not started anew
  const [again, learned] = [networkOf('xnor-net-pp', 0.125, 9), layers(network)[0]!.learned['weightScale']!.data];
  learned.fill(0.5);
  adopt(again, network);
  expect(layers(again)[0]!.learned['weightScale']!.data).toEqual(learned);
  expect(() => adopt(networkOf('bnn', 0.25), source)).toThrow(/has no layer of this vgg-small of width 0.25/);
});

test('a missing, unwanted or unfitting teacher is an error that says what to do', async () => {
  const student = networkOf('apprentice-b');
  expect(() => teacherFor(methodNamed('apprentice-b'), student, undefined)).toThrow(/--method float .* pass --teacher/);
  expect(() => teacherFor(methodNamed('bnn'), networkOf('bnn'), 'x')).toThrow(/has no teacher; drop --teacher/);
  expect(() => teacherFor(methodNamed('apprentice-b'), student, join(directory, 'none'))).toThrow(/no run at/);
  expect(teacherFor(methodNamed('react-net'), networkOf('react-net'), undefined)).toBeNull();
  const folder = await trained('float', {});
  const other = buildNetwork({ ...student.config, classes: 7 });
  expect(() => teacherFor(methodNamed('apprentice-b'), other, folder)).toThrow(/into 4 classes, .* into 7/);
});

test('a teacher that learns along keeps its float weights unclipped', async () => {
  const config = parseConfig({
    model: 'vgg-small',
    data: 'blobs',
    width: 0.125,
    epochs: 1,
    batch: 32,
    method: 'apprentice-a',
    clipLatent: true,
    optimizer: 'adam',
    rate: 0.5,
  });
  const folder = new RunFolder(join(directory, 'joint'));
  folder.lock();
  const trainer = trainerFor(config, blobData(), folder);
  await trainer.run();
  const weights = (network: typeof trainer.network) =>
    network
      .parameters()
      .filter(({ value }) => value.role === 'latent')
      .flatMap(({ value }) => [...value.data]);
  const largest = (values: number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest(weights(trainer.network))).toBeLessThanOrEqual(1);
  expect(largest(weights(trainer.teacher!))).toBeGreaterThan(1);
});
