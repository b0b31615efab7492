import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packForData } from '../analysis/packed-evaluation.ts';
import { attackersOf } from '../analysis/robustness/robustness.ts';
import { SensitivityBench } from '../analysis/sensitivity.ts';
import { epochsWithin } from '../compare/budget.ts';
import { parsePlan } from '../compare/plan.ts';
import { runComparison, writeReports } from '../compare/run.ts';
import { Random } from '../core/random.ts';
import type { DataSet, PixelSplit } from '../data/dataset.ts';
import type { Labels } from '../data/truth.ts';
import { methodNamed } from '../methods/table.ts';
import type { Backbone, Maps } from '../models/backbone.ts';
import { type ClassBatch, classifier } from '../models/heads/classifier.ts';
import { defineHead, type Head, type Outputs } from '../models/heads/head.ts';
import { type BuildContext, Network } from '../models/network.ts';
import { buildNetwork } from '../models/table.ts';
import { Conv2d, Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { classification } from '../tasks/classification.ts';
import type { AnyTask } from '../tasks/table.ts';
import { defineTask } from '../tasks/task.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { globalAvgPool } from '../tensor/ops/pooling.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseConfig } from './config.ts';
import { judgeTrained } from './judge.ts';
import { loadTrained } from './load-network.ts';
import { trainRun } from './run.ts';
import { teacherFor } from './teacher.ts';
import { noisyBars, restoring, tiny } from './two-tasks.testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'signum-own-heads-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Light is above or below. */
function halves(): DataSet<PixelSplit<Labels>> {
  const random = new Random(6);
  const split = (count: number) => {
    const labels = Uint16Array.from({ length: count }, (_, i) => i % 2);
    const isLit = (i: number) => (i & 63) >> 5 === labels[i >> 6];
    return {
      count,
      labels,
      pixels: Uint8Array.from({ length: 64 * count }, (_, i) => (isLit(i) ? 150 : 20) + random.integer(60)),
    };
  };
  const classes = ['above', 'below'];
  return { name: 'halves', shape: [8, 8, 1], classes, train: split(64), test: split(32), mean: [0.3], std: [0.3] };
}
const data = halves();

/** As the classifier, under a name of its own. */
const soft = defineHead<ClassBatch, ArrayLike<number>, number>({
  id: 'soft',
  outputs: ['logits'],
  build: (taps, classes) => taps.vector(classes),
  targets: ({ labels }) => labels,
  loss: ({ logits }, labels) => ({ total: softmaxCrossEntropy(logits!, labels, 0.2), parts: {} }),
  decode: () => 0,
});
const halving = defineTask({
  ...classification,
  id: 'halving',
  heads: [soft as unknown as typeof classifier, classifier],
}) as unknown as AnyTask;
const house = { tasks: [halving], models: [tiny] };
const options = { model: 'tiny', method: 'bi-real', data: 'halves', epochs: 1, batch: 16, task: 'halving' };

test.each(['soft', 'classifier'])('a run ends with the head that was asked for: %s', async (id) => {
  const folder = join(directory, id);
  const { evaluation } = await trainRun(folder, { ...options, taskHead: id }, data, house);
  const { effective } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  expect(effective.task.head).toEqual({ id, settings: {} });
  const { network } = loadTrained(folder, undefined, true, house);
  network.setTraining(false);
  expect(await judgeTrained(network, halving, data)).toEqual(evaluation);
  const { model } = await packForData(network, data, { task: halving });
  expect(model.graph.head.id).toBe(id);
  const resumed = await trainRun(folder, { ...options, taskHead: id, epochs: 2 }, data, {
    ...house,
    existing: 'resume',
  });
  expect(resumed.finished).toBe(true);
});

const built = (method: string, head: unknown) =>
  buildNetwork(tiny, methodNamed(method), { inputShape: [8, 8, 1], classes: 2, width: 1, seed: 1, head: head as Head });
const parts = { models: [tiny], heads: halving.heads };

test("a head of one's own under the name of the classifier is no classifier", () => {
  expect(built('bnn', { ...soft, id: 'classifier' }).config.head).toEqual({ id: 'classifier', settings: {} });
  expect(built('bnn', classifier).config.head).toBeUndefined();
});

test('networks that are made of another one have its head: attackers, variants, a teacher that learns along', async () => {
  const network = built('bi-real', soft);
  const [own, clipped] = attackersOf(network, parts);
  expect([own, clipped?.config.head?.id]).toEqual([network, 'soft']);
  const bench = new SensitivityBench(network, data, {
    own: { models: [tiny] },
    task: halving,
    precisions: ['float'],
    images: 16,
    calibration: 1,
  });
  expect((await bench.variant({})).bytes).toBeGreaterThan(0);
  const joint = { ...network.method, teacher: 'joint' } as const;
  expect(teacherFor(joint, network, undefined, undefined, {}, parts)?.config.head?.id).toBe('soft');
});

test('what fits into minutes is measured with the losses of the task', async () => {
  const own = { tasks: [restoring as unknown as AnyTask], models: [tiny] };
  const training = { task: 'restoring', batch: 16 };
  const given = { title: 'minutes', budget: { minutes: 1e-6 }, models: ['tiny'], methods: ['bnn'], data: ['bars'] };
  const plan = parsePlan({ ...given, seeds: [1], training }, own);
  const config = parseConfig({ ...training, model: 'tiny', method: 'bnn', data: 'bars', epochs: 1 });
  expect(await epochsWithin(plan, config, noisyBars() as unknown as DataSet)).toBe(1);
});

test('a figure that is no number fails the run of a comparison, which reads its results afterwards', async () => {
  const [figure] = restoring.figures;
  const task = { ...restoring, figures: [{ ...figure, of: () => Number.NaN }] } as unknown as AnyTask;
  const own = { tasks: [task], models: [tiny] };
  const given = { title: 'nan', budget: { epochs: 1 }, models: ['tiny'], methods: ['bnn'], data: ['bars'] };
  const plan = parsePlan({ ...given, seeds: [1], training: { task: 'restoring', batch: 16 } }, own);
  const load = async () => noisyBars() as unknown as DataSet;
  const silent = { onJob: () => ({}), onResult: () => {}, onError: () => {} };
  const folder = join(directory, 'nan');
  expect(await runComparison(plan, folder, silent, load)).toBe('finished');
  const { rows } = await writeReports(plan, folder, load);
  expect(rows).toMatchObject([{ accuracy: null, failed: 'its squared error on the test images is NaN' }]);
});

test('a place behind more layers than there are is refused by what is wrong with it', () => {
  const far = {
    ...tiny,
    build: (context: BuildContext) => ({ ...(tiny.build(context) as Backbone), places: [place] }),
  };
  const place = { after: 9, channels: 16, size: [4, 4] as const, stride: 2 };
  const end = defineHead({ ...soft, build: (taps) => new Tapped(taps.take('c1').c1.channels) });
  expect(() =>
    buildNetwork(far, methodNamed('bnn'), {
      inputShape: [8, 8, 1],
      classes: 2,
      width: 1,
      seed: 1,
      head: end as unknown as Head,
    }),
  ).toThrow('maps lie behind 9 of its layers, and has 3; correct its places');
});

class Tapped extends Module<Maps, Outputs> {
  readonly last: Linear;

  constructor(channels: number) {
    super();
    this.last = new Linear(channels, 2, new Random(1));
  }

  override forward({ c1 }: Maps): Outputs {
    return { logits: this.last.forward(globalAvgPool(c1!)) };
  }
}

/** Says its features before what they mean. */
class Talkative extends Module<Tensor, Outputs> {
  readonly conv: Conv2d;
  readonly last: Linear;

  constructor(random: Random) {
    super();
    this.conv = new Conv2d({ inChannels: 1, outChannels: 4, kernel: 3, pad: 1 }, random);
    this.last = new Linear(4, 2, random);
  }

  override forward(images: Tensor): Outputs {
    const features = globalAvgPool(this.conv.forward(images));
    return { features, logits: this.last.forward(features) };
  }
}

test("a packed network's first output is that of its head, in whatever order a body says them", async () => {
  const config = { model: 'own', method: 'float', inputShape: [8, 8, 1] as const, classes: 2, width: 1, seed: 1 };
  const network = new Network(config, methodNamed('float'), ({ random }) => new Talkative(random));
  const { model } = await packForData(network, data);
  expect(model.graph.outputs.map(({ name }) => name)).toEqual(['logits', 'features']);
  expect(model.predict(data.test.pixels.subarray(0, 64))[0]).toHaveLength(2);
});
