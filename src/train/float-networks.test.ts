import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { methods } from '../methods/table.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { TrainOptions } from './config.ts';
import { trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = blobData(8, 64, 16);
const options = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'resnet20',
  method: 'dsq',
  data: 'blobs',
  width: 0.125,
  epochs: 1,
  batch: 32,
  rate: 1e-6,
  ...changes,
});
const starts = () => readdirSync(directory).filter((name) => name.startsWith('float-start-'));

test('the methods whose references start from a float network say so', () => {
  const ids = methods.filter(({ start }) => start === 'float').map(({ id }) => id);
  expect(ids).toEqual([
    ...[
      'syq',
      'syq-row',
      'syq-layer',
      'inq',
      'inq-binary',
      'dsq',
      'bcgd',
      'bcgd-w1a1',
      'prox-quant',
      'quantization-networks',
    ],
    ...['meta-quant', 'meta-quant-fc-grad'],
  ]);
});

test('a run trains its float start, begins with these weights, says so, and the next run finds it', async () => {
  const notes: string[] = [];
  await trainRun(join(directory, 'a'), options(), data, { onNote: (line) => notes.push(line) });
  const [start] = starts();
  expect(starts()).toHaveLength(1);
  const float = new RunFolder(join(directory, start!));
  // the student's topology, as long as the student
  expect(float.readConfig()).toMatchObject({ method: 'float', activation: 'hardtanh', epochs: 1, seed: 1 });
  expect(notes[0]).toMatch(/^dsq needs a trained float network first: trained now in .*--init none begins at random/);
  expect(new RunFolder(join(directory, 'a')).readConfig().init).toBe(float.path);
  // at this rate the student is still where it started
  const weights = (folder: string) =>
    readCheckpoint(join(directory, folder, 'checkpoint.safetensors')).tensors.get('body.layers.1.first.conv.weight')!
      .data as Float32Array;
  weights(start!).forEach((value, i) => {
    expect(weights('a')[i]).toBeCloseTo(value, 4);
  });

  const written = statSync(float.file('checkpoint.safetensors')).mtimeMs;
  await trainRun(join(directory, 'b'), options({ rate: 1e-5 }), data, { onNote: (line) => notes.push(line) });
  expect(starts()).toEqual([start]);
  expect(statSync(float.file('checkpoint.safetensors')).mtimeMs).toBe(written);
  expect(notes.at(-1)).toMatch(/^dsq starts from the float network of /);

  // another seed, or other images, are another start
  await trainRun(join(directory, 'c'), options({ seed: 2 }), data);
  await trainRun(join(directory, 'd'), options(), blobData(8, 64, 24));
  expect(starts()).toHaveLength(3);
});

test('--init takes another network, --init none random weights; other methods start at random', async () => {
  await trainRun(join(directory, 'float'), options({ method: 'float' }), data);
  await trainRun(join(directory, 'given'), options({ init: join(directory, 'float') }), data);
  const { folder } = await trainRun(join(directory, 'random'), options({ init: 'none' }), data);
  await trainRun(join(directory, 'other'), options({ method: 'bnn' }), data);
  expect(starts()).toEqual([]);
  expect(folder.readConfig().init).toBeUndefined();
  expect(existsSync(folder.file('checkpoint.safetensors'))).toBe(true);
});

test('a method that learns from a float network gets one of the float recipe; --teacher none learns from labels alone', async () => {
  const notes: string[] = [];
  const real = options({ method: 'react-net', epochs: 2, rate: 1e-3, teacher: undefined });
  const { folder } = await trainRun(join(directory, 'a'), real, data, { onNote: (line) => notes.push(line) });
  const teachers = () => readdirSync(directory).filter((name) => name.startsWith('float-teacher-'));
  const [teacher] = teachers();
  expect(notes[0]).toMatch(
    /^react-net needs a trained float network first: .* --teacher none learns from labels alone/,
  );
  const float = new RunFolder(join(directory, teacher!)).readConfig();
  expect([float.method, float.epochs, float.activation]).toEqual(['float', 2, undefined]);
  expect(folder.readConfig().teacher).toBe(join(directory, teacher!));
  const alone = await trainRun(join(directory, 'b'), { ...real, teacher: 'none' }, data);
  expect(alone.folder.readConfig().teacher).toBeUndefined();
  await trainRun(join(directory, 'c'), real, data, { floatNetworks: false });
  expect(teachers()).toEqual([teacher]);
  const weights = (run: string) => readCheckpoint(join(directory, run, 'checkpoint.safetensors')).tensors;
  const stem = 'body.layers.0.conv.weight';
  expect(weights('a').get(stem)).not.toEqual(weights('b').get(stem));
  expect(weights('c').get(stem)).toEqual(weights('b').get(stem));
});
