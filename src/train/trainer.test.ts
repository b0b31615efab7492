import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCheckpoint, restore } from './checkpoint.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { reportHtml } from './report.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { Trainer } from './trainer.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = blobData();
const config = (options: Partial<TrainOptions> = {}) =>
  parseConfig({
    model: 'resnet20',
    method: 'ir-net',
    data: 'blobs',
    width: 0.5,
    epochs: 2,
    batch: 32,
    flip: true,
    padCrop: 1,
    ...options,
  });
const weightsOf = (trainer: Trainer) => trainer.network.parameters().map(({ value }) => value.data.slice());

async function trained(name: string, options: Partial<TrainOptions> = {}): Promise<Trainer> {
  const trainer = new Trainer(config(options), data, new RunFolder(join(directory, name)));
  new RunFolder(join(directory, name)).lock();
  await trainer.run();
  return trainer;
}

test('the same seed gives the same weights, another seed others', async () => {
  const [a, b, c] = [await trained('a'), await trained('b'), await trained('c', { seed: 2 })];
  expect(weightsOf(a)).toEqual(weightsOf(b));
  expect(weightsOf(a)).not.toEqual(weightsOf(c));
});

test.each([
  ['ir-net', 5],
  ['bnn-stochastic', 11],
  ['dorefa-w1a2g6', 3],
  ['apprentice-a', 6],
  ['inq-binary', 9],
  ['lq-nets', 5],
])('%s stopped after %d steps and resumed ends with the weights of an uninterrupted run', async (method, stopAfter) => {
  const whole = await trained('whole', { method });
  const folder = new RunFolder(join(directory, 'cut'));
  folder.lock();
  let steps = 0;
  const first = await new Trainer(config({ method }), data, folder).run({ shouldStop: () => ++steps === stopAfter });
  expect(first.finished).toBe(false);
  const second = new Trainer(config({ method }), data, folder);
  second.resume(readCheckpoint(folder.file('checkpoint.safetensors')));
  expect((await second.run()).finished).toBe(true);
  expect(weightsOf(second)).toEqual(weightsOf(whole));
  // all but the clock, sign flips since the epoch's start included
  const measured = (run: RunFolder) => run.readMetrics().map((m) => ({ ...m, seconds: 0, imagesPerSecond: 0 }));
  expect(measured(folder)).toEqual(measured(new RunFolder(join(directory, 'whole'))));
});

test('a diverging run stops with step, parameter and advice, and keeps the last checkpoint', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  folder.lock();
  const trainer = new Trainer(config(), data, folder);
  trainer.save();
  const before = readFileSync(folder.file('checkpoint.safetensors'));
  trainer.network.parameters()[0]!.value.data[0] = Number.NaN;
  await expect(trainer.run()).rejects.toThrow(/loss NaN at step 1 .*body\.layers\.0\.conv\.weight.*Lower --rate/);
  expect(readFileSync(folder.file('checkpoint.safetensors'))).toEqual(before);
});

test('a checkpoint of another network, or a damaged one, is refused', async () => {
  const trainer = await trained('run', { epochs: 1 });
  const file = join(directory, 'run', 'checkpoint.safetensors');
  const checkpoint = readCheckpoint(file);
  const other = new Trainer(config({ width: 1 }), data, new RunFolder(join(directory, 'other')));
  expect(() => restore(checkpoint, other.network)).toThrow(
    /checkpoint: "body.layers.0.conv.weight" is \[3,3,1,8\], the network needs 144 floats/,
  );
  writeFileSync(file, readFileSync(file).subarray(0, 5000));
  expect(() => readCheckpoint(file)).toThrow(/truncated/);
  expect(trainer.network).toBeDefined();
});

test('unknown and wrong options are named, with the nearest known one', () => {
  expect(() => parseConfig({ ...config(), epoch: 3 })).toThrow(
    /unknown training option "epoch"; did you mean "epochs"/,
  );
  expect(() => parseConfig({ ...config(), batch: 0 })).toThrow(/"batch"/);
});

test('the report is one self-contained page with every figure', async () => {
  const trainer = await trained('run');
  const metrics = new RunFolder(join(directory, 'run')).readMetrics();
  const evaluation = {
    top1: 0.875,
    top5: 1,
    loss: 0.3,
    count: 64,
    notFinite: 0,
    confusion: [
      [16, 0, 0, 0],
      [0, 16, 0, 0],
      [0, 0, 16, 0],
      [8, 0, 0, 8],
    ],
  };
  const html = reportHtml({
    config: config(),
    command: 'signum train',
    metrics,
    evaluation,
    classes: data.classes,
    network: trainer.network,
    packed: { accuracy: 0.875, fileBytes: 1000, floatBytes: 32000 },
  });
  expect(html).toContain('87.50 %');
  expect(html).toContain('32.0x');
  expect(html).not.toMatch(/(src|href)="http/);
  expect(existsSync(join(directory, 'run', 'metrics.jsonl'))).toBe(true);
});
