import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hearInterrupts } from '../core/interrupt.ts';
import { Batches } from '../data/batches.ts';
import { imagesOf } from '../data/dataset.ts';
import { classification } from '../tasks/classification.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bestText } from './best.ts';
import { readCheckpoint, restore } from './checkpoint.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { evaluate } from './evaluate.ts';
import { loadTrained } from './load-network.ts';
import { reportHtml } from './report.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import type { Trainer } from './trainer.ts';
import { trainerFor } from './trainer-for.ts';
import { holdBack } from './validation.ts';

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
  const trainer = trainerFor(config(options), data, new RunFolder(join(directory, name)));
  new RunFolder(join(directory, name)).lock();
  await trainer.run();
  return trainer;
}

test('the same seed gives the same weights, another seed others', async () => {
  const [a, b, c] = [await trained('a'), await trained('b'), await trained('c', { seed: 2 })];
  expect(weightsOf(a)).toEqual(weightsOf(b));
  expect(weightsOf(a)).not.toEqual(weightsOf(c));
});

test.each<[method: string, stopAfter: number, options: Partial<TrainOptions>]>([
  ['ir-net', 5, {}],
  ['bnn-stochastic', 11, {}],
  ['dorefa-w1a2g6', 3, {}],
  ['apprentice-a', 6, { mixup: 0.3, cutout: 3 }],
  ['inq-binary', 9, {}],
  ['lq-nets', 5, {}],
  ['ovsw', 5, { ema: 0.9, reestimateNorm: 64 }],
])(
  '%s stopped after %d steps and resumed ends with the weights of an uninterrupted run',
  async (method, stopAfter, options) => {
    const whole = await trained('whole', { method, ...options });
    const folder = new RunFolder(join(directory, 'cut'));
    folder.lock();
    let steps = 0;
    const first = await trainerFor(config({ method, ...options }), data, folder).run({
      shouldStop: () => ++steps === stopAfter,
    });
    expect(first.finished).toBe(false);
    const second = trainerFor(config({ method, ...options }), data, folder);
    second.resume(readCheckpoint(folder.file('checkpoint.safetensors')));
    expect((await second.run()).finished).toBe(true);
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    // all but the clock, sign flips since the epoch's start included
    const measured = (run: RunFolder) => run.readMetrics().map((m) => ({ ...m, seconds: 0, imagesPerSecond: 0 }));
    expect(measured(folder)).toEqual(measured(new RunFolder(join(directory, 'whole'))));
  },
);

test.each([
  ['ir-net', {}, 8],
  ['bnn-stochastic', { keep: 'best', validation: 32 }, 7],
] as const)(
  '%s cut in the evaluation of an epoch ends as an uninterrupted run: the checkpoint was saved before',
  async (method, given, batch) => {
    const whole = await trained('whole', { method, ...given });
    const folder = new RunFolder(join(directory, 'cut'));
    folder.lock();
    const first = trainerFor(config({ method, ...given }), data, folder);
    let left = 1;
    // asked once in each batch of an evaluation, and by no step
    const stop = hearInterrupts(() => (left-- > 0 ? null : 'SIGINT'));
    const cut = await first.run();
    stop();
    expect(cut).toMatchObject({ finished: false, evaluation: null });
    const checkpoint = readCheckpoint(folder.file('checkpoint.safetensors'));
    expect(checkpoint).toMatchObject({ batch });
    const second = trainerFor(config({ method, ...given }), data, folder);
    second.resume(checkpoint);
    await second.run();
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    const measured = (run: RunFolder) => run.readMetrics().map((m) => ({ ...m, seconds: 0, imagesPerSecond: 0 }));
    expect(measured(folder)).toEqual(measured(new RunFolder(join(directory, 'whole'))));
  },
);

test('images held back are drawn by the seed, not learned from, and what the best epoch is chosen on', async () => {
  const folder = new RunFolder(join(directory, 'a'));
  const trainer = await trained('a', { epochs: 3, validation: 64, keep: 'best' });
  const metrics = folder.readMetrics();
  const accuracies = metrics.map(({ validationAccuracy }) => validationAccuracy!);
  expect(metrics.map(({ step }) => step)).toEqual([6, 12, 18]);
  const { best } = readCheckpoint(folder.file('checkpoint.safetensors'));
  expect(best).toMatchObject({ chosenOn: 'validation', images: 64, figures: { accuracy: Math.max(...accuracies) } });
  // the kept weights have that accuracy on those images
  const { network } = loadTrained(folder.path, 'best.safetensors');
  network.setTraining(false);
  const { held, kept } = holdBack(data.train.count, 64, 1);
  expect([...held, ...kept].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, i) => i));
  expect(holdBack(256, 64, 2).held).not.toEqual(held);
  const batches = new Batches(data, imagesOf(data.train, held), 64);
  const forward = (images: Float32Array, count: number) =>
    inference(() => network.forward(new Tensor(images, [count, ...data.shape])).data.slice());
  expect((await evaluate(forward, batches, 4)).top1).toBe(best!.figures['accuracy']);
  expect(weightsOf(trainer)).not.toEqual(weightsOf(await trained('b', { epochs: 3 })));
  expect(() => trainerFor(config({ validation: 256 }), data, folder)).toThrow(
    /--validation 256: there are 256 training/,
  );
});

test('without images held back the best epoch is chosen on the training images: never on the test images', async () => {
  await trained('a', { epochs: 3, keep: 'best' });
  const folder = new RunFolder(join(directory, 'a'));
  const { best } = readCheckpoint(folder.file('checkpoint.safetensors'));
  const learned = folder.readMetrics().map(({ trainAccuracy }) => trainAccuracy!);
  expect(best).toMatchObject({ chosenOn: 'training', images: 256, figures: { accuracy: Math.max(...learned) } });
  expect(bestText(best!)).toMatch(/^epoch \d, chosen on 256 training images: [\d.]+ % while it learned from them/);
});

test('patience ends a run that gets no better, and a longer one continues it', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  // a rate that changes nothing
  const given = {
    epochs: 9,
    patience: 2,
    validation: 64,
    optimizer: 'sgd',
    rate: 1e-30,
    momentum: 0,
    clipLatent: false,
  } as const;
  const first = await trained('run', given);
  const done = folder.readMetrics().length;
  const { best } = readCheckpoint(folder.file('checkpoint.safetensors'));
  expect(done).toBe(best!.epoch + 3);
  expect(done).toBeLessThan(9);
  const second = trainerFor(config({ ...given, patience: 3 }), data, folder);
  second.resume(readCheckpoint(folder.file('checkpoint.safetensors')));
  await second.run();
  expect(folder.readMetrics().length).toBeGreaterThan(done);
  expect(first.network).toBeDefined();
});

test('a diverging run stops with step, parameter and advice, and keeps the last checkpoint', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  folder.lock();
  const trainer = trainerFor(config(), data, folder);
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
  const other = trainerFor(config({ width: 1 }), data, new RunFolder(join(directory, 'other')));
  expect(() => restore(checkpoint, other.network)).toThrow(
    /checkpoint: "body.layers.0.conv.weight" is \[3,3,1,8\], the network needs 144 floats/,
  );
  writeFileSync(file, readFileSync(file).subarray(0, 5000));
  expect(() => readCheckpoint(file)).toThrow(/truncated: its header claims/);
  expect(trainer.network).toBeDefined();
});

test('unknown and wrong options are named, with the nearest known one', () => {
  expect(() => parseConfig({ ...config(), epoch: 3 })).toThrow(
    /unknown training option "epoch"; did you mean "epochs"/,
  );
  expect(() => parseConfig({ ...config(), width: 0 })).toThrow(
    /--width \("width"\): got 0, expected a number above 0, at most 64/,
  );
  expect(() => parseConfig({ ...config(), bitSteps: [8, 9] })).toThrow(
    /--bit-steps .*value 2: got 9, expected a whole number of at least 2, at most 8/,
  );
  expect(() => parseConfig({ ...config(), schedule: 'cosin' })).toThrow(/got "cosin", expected "constant" or "cosine"/);
  expect(() => parseConfig({ ...config(), epochs: undefined })).toThrow(
    /--epochs .* is missing; expected a whole number/,
  );
});

test('the report is one self-contained page with every figure', async () => {
  const trainer = await trained('run');
  const metrics = new RunFolder(join(directory, 'run')).readMetrics();
  const confusion = [
    [16, 0, 0, 0],
    [0, 16, 0, 0],
    [0, 0, 16, 0],
    [8, 0, 0, 8],
  ];
  const html = reportHtml({
    config: config(),
    command: 'signum train',
    metrics,
    figures: [{ ...classification.figures[0], value: 0.875 }],
    confusion,
    classes: data.classes,
    network: trainer.network,
    drawings: [],
    packed: { accuracy: 0.875, fileBytes: 1000, floatBytes: 32000 },
  });
  expect(html).toContain('87.50 %');
  expect(html).toContain('32.0x');
  expect(html).not.toMatch(/(src|href)="http/);
  expect(existsSync(join(directory, 'run', 'metrics.jsonl'))).toBe(true);
});
