import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { firstDefaults } from '../methods/first-defaults.ts';
import { type Method, methodFor } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { buildNetwork, withMethod } from '../models/table.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { adam, sgd } from '../optim/optimizer.ts';
import { oddRule, ruleIds, ruleOf } from '../optim/rules.ts';
import { namedSchedules, scheduleFrom } from '../optim/schedules.ts';
import { Tensor } from '../tensor/tensor.ts';
import { clocksOf } from './clock.ts';
import { optimizerOf, parseConfig, scheduleOf, type TrainConfig, type TrainOptions } from './config.ts';
import { effectiveOf } from './effective.ts';
import { networkFor } from './network-for.ts';
import { trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import { TrainingStep } from './step.ts';
import { defaultsFrom } from './stored-defaults.ts';
import { blobData } from './synthetic.testing.ts';
import { teacherFor } from './teacher.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-effective-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = { shape: [8, 8, 3] as const, classes: ['a', 'b', 'c', 'd'] };
/** Filters that turn want channels by fours. */
const widthOf = (method: string) => (method === 'cbcn' ? 0.25 : 1 / 16);
const configOf = (method: string, options: Partial<TrainOptions> = {}): TrainConfig =>
  parseConfig({ model: 'resnet20', method, data: 'blobs', width: widthOf(method), epochs: 4, batch: 4, ...options });

/** Parameters after one step, at a quarter of the training. */
function stepOf(config: TrainConfig, rule?: Optimizer): Float32Array[] {
  const network = networkFor(config, data);
  const { method } = network;
  const teacher =
    method.teacher === 'trained'
      ? buildNetwork({ ...withMethod(network.config, 'float'), tricks: undefined, seed: 9 })
      : teacherFor(method, network, undefined);
  teacher?.setTraining(method.teacher === 'joint');
  const optimizer = rule ?? optimizerOf(config, method);
  const step = new TrainingStep(network, teacher, optimizer, new Map(), config);
  const random = new Random(3);
  const pixels = new Float32Array(4 * 8 * 8 * 3);
  random.fillNormal(pixels, 0, 1);
  const point = { progress: 0.25, epoch: 1 };
  network.setPoint(point);
  const wholeEpochs = clocksOf(config, method).rate === 'epoch';
  const rate = optimizer.rate * scheduleOf(config, method)({ ...point, wholeEpochs });
  const labels = Uint16Array.of(0, 1, 2, 3);
  const images = new Tensor(pixels, [4, 8, 8, 3]);
  step.run(images, { labels }, { ...point, rate, step: 1 }, { onLoss: () => {}, onGradients: () => {} });
  return step.parameters.map(({ value }) => value.data);
}

/** Each option that has a value in the method, set to it. */
function ownOptions(method: Method): Partial<TrainOptions>[] {
  const { defaults, structure } = methodFor(method, 'resnet20');
  const { numbers } = defaults.optimizer;
  const named = Object.entries(namedSchedules).find(
    ([, { stored }]) => JSON.stringify(stored) === JSON.stringify(defaults.rate.stored),
  );
  const { schedule = 'step', rate = 'step' } = defaults.clock ?? {};
  return [
    { optimizer: defaults.optimizer.id as (typeof ruleIds)[number] },
    ...(['rate', 'momentum', 'nesterov', 'weightDecay'] as const).flatMap((name) =>
      numbers[name] === undefined ? [] : [{ [name]: numbers[name] }],
    ),
    ...(named ? [{ schedule: named[0] as keyof typeof namedSchedules }] : []),
    ...(schedule === rate ? [{ clock: rate }] : []),
    { decay: defaults.decay ?? 'weights' },
    { loss: defaults.loss },
    { clipLatent: defaults.clipLatent },
    { labelSmoothing: 0 },
    { blockOrder: structure.order },
    { shortcut: structure.shortcut },
    ...(structure.order === 'bn-conv' || structure.activation !== 'relu' ? [{ activation: structure.activation }] : []),
    ...(structure.pooling ? [{ pooling: structure.pooling }] : []),
    ...(structure.head ? [{ head: structure.head }] : []),
    ...(structure.normMomentum === undefined ? [] : [{ normMomentum: structure.normMomentum }]),
  ];
}

test.each(methods.map(({ id }) => id))('%s: no option that says what is so anyway changes anything', (id) => {
  const own = ownOptions(methodNamed(id));
  const resolved = (options: Partial<TrainOptions>) => {
    const config = configOf(id, options);
    const { method } = networkFor(config, data);
    const { loss = method.defaults.loss, clipLatent = method.defaults.clipLatent, labelSmoothing } = config;
    const decay = config.decay ?? method.defaults.decay ?? 'weights';
    const rule = ruleOf(optimizerOf(config, method));
    const rate = scheduleOf(config, method).stored;
    return {
      rule,
      rate,
      clocks: clocksOf(config, method),
      loss,
      clipLatent,
      labelSmoothing,
      decay,
      structure: method.structure,
    };
  };
  const bare = resolved({});
  for (const option of own) expect(resolved(option), JSON.stringify(option)).toEqual(bare);
  const all = Object.assign({}, ...own) as Partial<TrainOptions>;
  const [one, other] = [stepOf(configOf(id)), stepOf(configOf(id, all))];
  expect(other).toEqual(one);
  // the step moved something, and what a run stores gives it again
  const config = configOf(id);
  const before = networkFor(config, data);
  expect(before.parameters().map(({ value }) => value.data)).not.toEqual(one.slice(0, before.parameters().length));
  const effective = JSON.parse(JSON.stringify(effectiveOf(config, before)));
  expect(stepOf(parseConfig({ ...config, effective }))).toEqual(one);
});

test.each(methods.map(({ id }) => id))('%s: another optimiser keeps the rate and the decay', (id) => {
  const { optimizer: own } = methodFor(methodNamed(id), 'resnet20').defaults;
  for (const rule of ruleIds) {
    const { numbers } = optimizerOf(configOf(id, { optimizer: rule }), methodFor(methodNamed(id), 'resnet20'));
    for (const name of ['rate', 'weightDecay', 'momentum', 'nesterov'] as const)
      if (numbers[name] !== undefined && own.numbers[name] !== undefined)
        expect([rule, name, numbers[name]]).toEqual([rule, name, own.numbers[name]]);
  }
});

test('one number named leaves the others, and another rule is the rule with what both have', () => {
  const cbcn = methodNamed('cbcn');
  const rate = optimizerOf(configOf('cbcn', { rate: 0.05 }), cbcn);
  expect(ruleOf(rate)).toEqual({ id: 'sgd', rate: 0.05, momentum: 0.9, weightDecay: 5e-4, nesterov: true });
  const changed = { optimizer: 'adam', rate: 0.002 } as const;
  expect(stepOf(configOf('ir-net', changed))).toEqual(
    stepOf(configOf('ir-net'), adam({ rate: 0.002, weightDecay: 1e-4 })),
  );
  expect(stepOf(configOf('bwn', { optimizer: 'sgd', momentum: 0.8 }))).toEqual(
    stepOf(configOf('bwn'), sgd({ rate: 1e-3, momentum: 0.8, weightDecay: 1e-5 })),
  );
  expect(() => optimizerOf(configOf('bwn', { momentum: 0.5 }), methodNamed('bwn'))).toThrow(
    /adam has no momentum \(given 0.5\); it has rate, beta1/,
  );
});

test('a rate that can hardly be meant is said in one line', async () => {
  expect(oddRule(adam({ rate: 0.1 }))).toMatch(/^adam at a learning rate of 0.1: .*--rate/);
  expect(oddRule(sgd({ rate: 0.1, weightDecay: 0.5 }))).toMatch(/weight decay of 0.5/);
  for (const { defaults } of methods) expect(oddRule(defaults.optimizer)).toBeNull();
  const said: string[] = [];
  const options = { model: 'sfc', method: 'ir-net', data: 'blobs', width: 0.02, epochs: 1, batch: 64 } as const;
  await trainRun(join(directory, 'a'), { ...options, optimizer: 'adam' }, blobData(8, 64, 16), {
    onNote: (line) => said.push(line),
  });
  expect(said.filter((line) => line.startsWith('adam at a learning rate of 0.1'))).toHaveLength(1);
});

test.each(methods.map(({ id }) => id))('%s: a config.json of version 0.1 means what it meant', (id) => {
  const folder = new RunFolder(directory);
  writeFileSync(folder.file('config.json'), JSON.stringify({ ...configOf(id), padCrop: 0, flip: false }));
  const config = folder.readConfig();
  const { method } = networkFor(config, data);
  const first = firstDefaults(methodNamed(id, 1));
  expect(ruleOf(optimizerOf(config, method))).toEqual(ruleOf(first.optimizer));
  expect(scheduleOf(config, method).stored).toEqual(first.rate.stored);
  expect(method.defaults).toMatchObject({ loss: first.loss, clipLatent: first.clipLatent });
  expect([method.revision ?? 1, method.defaults.decay, method.defaults.clock]).toEqual([1, undefined, undefined]);
});

test('a rate that was given in version 0.1 had dropped the weight decay, and still does in that run', () => {
  const folder = new RunFolder(directory);
  const stored = (options: object) => {
    writeFileSync(folder.file('config.json'), JSON.stringify({ ...configOf('ir-net'), ...options }));
    const config = folder.readConfig();
    return ruleOf(optimizerOf(config, networkFor(config, data).method));
  };
  expect(stored({ rate: 0.05 })).toMatchObject({ id: 'sgd', rate: 0.05, momentum: 0.9, weightDecay: 0 });
  expect(stored({ optimizer: 'adam' })).toMatchObject({ id: 'adam', rate: 1e-3, weightDecay: 0 });
});

test('a run stores what it was made with, and nothing of that is asked of the method again', async () => {
  const options = {
    model: 'sfc',
    method: 'bnn',
    data: 'blobs',
    width: 0.02,
    epochs: 1,
    batch: 32,
    warmUpEpochs: 1,
  } as const;
  const path = join(directory, 'run');
  await trainRun(path, options, blobData(8, 64, 16));
  const folder = new RunFolder(path);
  const stored = JSON.parse(readFileSync(folder.file('config.json'), 'utf8'));
  expect(stored.effective).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+/),
    revision: 1,
    structure: methodNamed('bnn').structure,
    defaults: {
      optimizer: { id: 'adam', rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      rate: { id: 'warm-up', epochs: 1, of: { id: 'exponential', end: 3e-4 } },
      loss: 'squared-hinge',
      clipLatent: true,
    },
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  // as if the method's defaults had become others since
  stored.effective.defaults.optimizer = { id: 'sgd', rate: 0.3, momentum: 0.2, weightDecay: 0.01, nesterov: true };
  stored.effective.defaults.loss = 'cross-entropy';
  stored.effective.structure = { order: 'bn-conv', shortcut: 'none', activation: 'prelu' };
  folder.writeConfig(stored);
  const config = folder.readConfig();
  const network = networkFor(config, { shape: [8, 8, 1], classes: data.classes });
  expect(ruleOf(optimizerOf(config, network.method))).toEqual(stored.effective.defaults.optimizer);
  expect(network.method.structure).toEqual(stored.effective.structure);
  expect(network.method.defaults.loss).toBe('cross-entropy');
  expect(defaultsFrom(config.effective!.defaults).optimizer.numbers).toMatchObject({ nesterov: true });
});

test('every schedule of a method is given again by what is stored of it', () => {
  for (const { defaults } of methods)
    for (const progress of [0, 0.2, 0.5, 0.77, 0.99])
      for (const wholeEpochs of [false, true]) {
        const point = { progress, epoch: 30 * progress, wholeEpochs };
        expect(scheduleFrom(JSON.parse(JSON.stringify(defaults.rate.stored)))(point)).toBe(defaults.rate(point));
      }
});
