import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DataSet, Split } from '../data/dataset.ts';
import * as loading from '../data/loader.ts';
import type { Truths } from '../data/truth.ts';
import type { Network } from '../models/network.ts';
import { figuresOf, isBetter } from '../tasks/figures.ts';
import type { Result, Task } from '../tasks/task.ts';
import { readCheckpoint } from './checkpoint.ts';
import { askedOf, parseConfig, type TrainOptions } from './config.ts';
import { trainRun } from './run.ts';
import { figureIn, RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { Trainer } from './trainer.ts';
import { linesData, noisyBars, painterNetwork, restoring, taggerNetwork, tagging } from './two-tasks.testing.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-tasks-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.restoreAllMocks();
});

interface Trial {
  readonly task: Task<Truths, Result>;
  readonly data: DataSet<Split<object>>;
  readonly network: (method?: string) => Network;
  /** Figures of a network that learned nothing are worse than this one of the first. */
  readonly reached: number;
}
const trials: Trial[] = [
  { task: restoring as unknown as Trial['task'], data: noisyBars(), network: painterNetwork, reached: 0.02 },
  { task: tagging as unknown as Trial['task'], data: linesData(), network: taggerNetwork, reached: 0.8 },
];

const configOf = (options: Partial<TrainOptions> = {}) =>
  parseConfig({
    model: 'own',
    method: 'bnn',
    data: 'own',
    epochs: 4,
    batch: 16,
    optimizer: 'adam',
    rate: 0.01,
    schedule: 'cosine',
    padCrop: 1,
    flip: true,
    ...options,
  });
const folderOf = (name: string): RunFolder => {
  mkdirSync(join(directory, name), { recursive: true });
  return new RunFolder(join(directory, name));
};
const weightsOf = (network: Network) =>
  [...network.parameters(), ...network.stateArrays()].map(({ value }) => [...value.data]);

describe.each(trials)('$task.id', ({ task, data, network, reached }) => {
  const trainer = (name: string, options: Partial<TrainOptions> = {}) =>
    new Trainer({ config: configOf(options), data, folder: folderOf(name), task, network: network() });

  test('is learned, judged by its own figures and logged under their names', async () => {
    const { evaluation, best } = await trainer('run', { epochs: 20, rate: 0.02, validation: 16, keep: 'best' }).run();
    const [first, second] = task.figures;
    const figures = figuresOf(task.figures, evaluation!);
    const isGood = (value: number) => isBetter(first, value, reached);
    expect([figures[first.name]!].filter(isGood)).toHaveLength(1);
    const still = await trainer('still', {
      epochs: 1,
      optimizer: 'sgd',
      rate: 1e-30,
      momentum: 0,
      clipLatent: false,
    }).run();
    expect([first.of(still.evaluation!)].filter(isGood)).toEqual([]);
    const folder = folderOf('run');
    const lines = folder.readMetrics();
    expect(figureIn(lines.at(-1)!, 'test', first.name)).toBe(figures[first.name]);
    const held = lines.map((line) => figureIn(line, 'validation', first.name)!);
    expect(best!.figures[first.name]).toBe(first.better === 'lower' ? Math.min(...held) : Math.max(...held));
    expect(best!.epoch).toBe(held.indexOf(best!.figures[first.name]!));
    expect(readCheckpoint(folder.file('best.safetensors'))).toMatchObject({ epoch: best!.epoch + 1, task: task.id });
    const [head] = readFileSync(folder.file('metrics.csv'), 'utf8').split('\n');
    for (const name of [first.name, second!.name])
      expect(head).toContain(`test${name[0]!.toUpperCase()}${name.slice(1)}`);
    expect(head).not.toContain('Accuracy');
  });

  test('a run that was stopped goes on to the weights of one that was not', async () => {
    const whole = await trainer('whole').run();
    let steps = 0;
    await trainer('parts').run({ shouldStop: () => ++steps === 9 });
    const second = trainer('parts');
    const checkpoint = readCheckpoint(join(directory, 'parts', 'checkpoint.safetensors'));
    expect(checkpoint).toMatchObject({ epoch: 1, batch: 3 });
    second.resume(checkpoint);
    const resumed = await second.run();
    expect(weightsOf(resumed.network)).toEqual(weightsOf(whole.network));
    expect(resumed.evaluation).toEqual(whole.evaluation);
    const other = trials.find((trial) => trial.task !== task)!;
    const [config, folder] = [configOf(), folderOf('parts')];
    const wrong = new Trainer({ config, data: other.data, folder, task: other.task, network: other.network() });
    expect(() => wrong.resume(checkpoint)).toThrow(`the network is of task "${task.id}"`);
  });

  test('batches of the thread give the weights of batches made in place', async () => {
    const inPlace = await trainer('place', { epochs: 2 }).run();
    const opened = vi
      .spyOn(loading, 'openLoader')
      .mockImplementation((images, split, batch, truth) => new loading.BackgroundLoader(images, split, batch, truth));
    const threaded = await trainer('thread', { epochs: 2 }).run();
    expect(opened).toHaveBeenCalledTimes(1);
    expect(weightsOf(threaded.network)).toEqual(weightsOf(inPlace.network));
  });

  test('what is for classes of images is refused by name, before the first step', () => {
    expect(() => trainer('a', { mixup: 0.2 })).toThrow(
      `mixup 0.2: it is for images of one class each, and task "${task.id}" knows none`,
    );
    expect(() => trainer('b', { labelSmoothing: 0.1 })).toThrow('labelSmoothing 0.1');
    const taught = { config: configOf({ method: 'apprentice-a' }), task, network: network('apprentice-a') };
    expect(() => new Trainer({ ...taught, data, folder: folderOf('c') })).toThrow(
      "learns from a teacher's opinion of classes",
    );
    const untold = { config: configOf(), task, network: network() };
    expect(() => new Trainer({ ...untold, data: blobData(), folder: folderOf('d') })).toThrow(
      /blobs, train: its images have no "(target|tags)"/,
    );
  });
});

test.each(trials)(
  '$task.id as a whole run: its report has its figures, and the same command goes on with it',
  async ({ task, data, network }) => {
    const path = join(directory, 'run');
    const options = { ...askedOf(configOf()), epochs: 2 };
    const whole = await trainRun(path, options, data, { task, network: network() });
    expect(whole.accuracy).toBe(task.figures[0].of(whole.evaluation!));
    const html = readFileSync(join(path, 'report.html'), 'utf8');
    expect(html).toContain(`test ${task.figures[0].title}`);
    expect(html).not.toMatch(/test accuracy|Confusion/);
    expect(html.includes('the picture that was restored worst')).toBe(task.draw !== undefined);
    const stored = JSON.parse(readFileSync(join(path, 'evaluation.json'), 'utf8'));
    expect(stored.task).toMatchObject({ id: task.id, figures: [{ value: whole.accuracy }, {}] });
    const parted = join(directory, 'parted');
    await trainRun(parted, { ...options, epochs: 1 }, data, { task, network: network() });
    await trainRun(parted, { epochs: 2 } as TrainOptions, data, { task, network: network(), existing: 'resume' });
    const other = trials.find((trial) => trial.task !== task)!;
    const wrong = { task: other.task, network: other.network(), existing: 'resume' } as const;
    await expect(trainRun(parted, { epochs: 3 } as TrainOptions, other.data, wrong)).rejects.toThrow(/of task "/);
  },
);

test('parts of a loss are logged by name, and are of what it is the sum', async () => {
  const [{ task, data, network }] = trials as [Trial];
  const folder = folderOf('parts');
  await new Trainer({ config: configOf({ epochs: 1 }), data, folder, task, network: network() }).run();
  const line = folder.readMetrics()[0] as unknown as Record<string, number>;
  expect(line['trainLossFine']! + 0.5 * line['trainLossCoarse']!).toBeCloseTo(line['trainLoss']!, 5);
});
