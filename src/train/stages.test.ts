import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { packForData } from '../analysis/packed-evaluation.ts';
import { methodNamed, methods } from '../methods/table.ts';
import type { Network } from '../models/network.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { readCheckpoint } from './checkpoint.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { effectiveOf } from './effective.ts';
import { loadTrained } from './load-network.ts';
import { prolongedText } from './resume.ts';
import { commandOf, trainRun } from './run.ts';
import { RunFolder } from './run-folder.ts';
import type { StageOptions } from './stage-options.ts';
import { inProportion, prolongedStages, stagesOf } from './stages.ts';
import { blobData } from './synthetic.testing.ts';
import type { Trainer } from './trainer.ts';
import { trainerFor } from './trainer-for.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-stages-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = blobData(8, 48, 24);
const options = (given: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'sfc',
  method: 'xnor-net-pp',
  data: 'blobs',
  width: 0.02,
  epochs: 4,
  batch: 16,
  ...given,
});
const weightsOf = (network: Network): Float32Array[] => network.parameters().map(({ value }) => value.data.slice());
const logitsOf = (network: Network): number[] => {
  const pixels = Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(i * i));
  return inference(() => Array.from(network.forward(new Tensor(pixels, [4, 8, 8, 1])).data));
};
const trainer = (given: Partial<TrainOptions>, name = 'run') => {
  const folder = new RunFolder(join(directory, name));
  folder.lock();
  return trainerFor(parseConfig(options(given)), data, folder);
};
const train = async (given: Partial<TrainOptions>, name = 'run'): Promise<Trainer> => {
  const made = trainer(given, name);
  await made.run();
  return made;
};

test('a stage begins with an optimiser that remembers nothing, and with its own rate', async () => {
  const stages: StageOptions[] = [{ binary: 'activations' }, { binary: 'both', rate: 0.004, schedule: 'linear' }];
  const run = trainer({ stages, optimizer: 'adam', rate: 0.01, schedule: 'cosine', epochs: 4 });
  const seen: { rate: number; step: number; remembered: number; moved: [distance: number, gradient: number][] }[] = [];
  const watch = () => {
    const { optimizer } = run;
    const update = optimizer.update.bind(optimizer);
    vi.spyOn(optimizer, 'update').mockImplementation((trainables, state, rate, step) => {
      const [remembered, before] = [state.size, trainables.map(({ data: values }) => values.slice())];
      const gradients = trainables.map(({ grad, data: { length } }) => grad?.slice() ?? new Float32Array(length));
      update(trainables, state, rate, step);
      const moved = trainables.flatMap(({ data: values, rateFactor }, i) =>
        Array.from(values, (value, j): [number, number] => [(value - before[i]![j]!) / rateFactor, gradients[i]![j]!]),
      );
      seen.push({ rate, step, remembered, moved });
    });
  };
  watch();
  await run.run({ onNote: watch });
  expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
  expect(seen.map(({ remembered }) => remembered > 0)).toEqual([0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1].map(Boolean));
  // three steps an epoch, two epochs a stage; a cosine to 0 in the first, a line to 0 in the second
  for (const [i, { rate }] of seen.entries()) {
    const share = (i % 6) / 6;
    expect(rate).toBeCloseTo(i < 6 ? 0.005 * (1 + Math.cos(Math.PI * share)) : 0.004 * (1 - share), 9);
  }
  // a first step of Adam is rate g/(|g| + epsilon); a later one remembers other gradients
  for (const [at, rate] of [
    [0, 0.01],
    [6, 0.004],
  ] as const) {
    expect(seen[at]!.moved.length).toBeGreaterThan(50);
    for (const [distance, g] of seen[at]!.moved) expect(distance).toBeCloseTo((-rate * g) / (Math.abs(g) + 1e-8), 6);
  }
});

test('what decays is the own of each stage: one step of SGD without momentum differs by rate * decay * w', async () => {
  const rate = 0.05;
  const sgd = { optimizer: 'sgd', rate, momentum: 0, schedule: 'constant', weightDecay: 0, clipLatent: false } as const;
  const given = (last: Partial<StageOptions>): Partial<TrainOptions> => ({
    ...sgd,
    method: 'bi-real',
    epochs: 2,
    batch: 48,
    stages: [
      { binary: 'activations', weightDecay: 0.2 },
      { binary: 'both', ...last },
    ],
  });
  const none = await train(given({}), 'none');
  const boundary = loadTrained(join(directory, 'none', 'stage-1.safetensors')).network;
  const all = await train(given({ weightDecay: 0.1 }), 'all');
  const classifierOnly = await train(given({ weightDecay: 0.1, decayOf: { latents: 0 } }), 'some');
  const before = new Map(boundary.parameters().map(({ name, value }) => [name, value]));
  let checked = 0;
  for (const [i, { name, value }] of none.network.parameters().entries()) {
    const { role, data: w } = before.get(name)!;
    const decays = role === 'latent' || role === 'weight';
    const [whole, some] = [all, classifierOnly].map((run) => run.network.parameters()[i]!.value.data);
    for (let j = 0; j < w.length; j++) {
      expect(value.data[j]! - whole![j]!).toBeCloseTo(decays ? rate * 0.1 * w[j]! : 0, 6);
      expect(value.data[j]! - some![j]!).toBeCloseTo(role === 'weight' ? rate * 0.1 * w[j]! : 0, 6);
      if (decays) checked++;
    }
  }
  expect(checked).toBeGreaterThan(100);
});

test('the teacher of a stage is the network that the stage before has left, as it was then, with its averages', async () => {
  const stages: StageOptions[] = [
    { binary: 'activations' },
    { binary: 'both', teacher: 'previous', distill: 0.7, temperature: 2 },
  ];
  const run = trainer({ stages, ema: 0.9 });
  const said: string[] = [];
  let left: number[] = [];
  const teachers = new Set<Network | null>();
  await run.run({
    onEpoch: ({ epoch }) => {
      if (epoch !== 1) return;
      expect(run.teacher).toBeNull();
      const { network } = loadTrained(join(directory, 'run'));
      network.setTraining(false);
      left = logitsOf(network);
    },
    onNote: (line) => said.push(line),
    onStep: () => teachers.add(run.teacher),
  });
  expect(said).toEqual(['stage 2 of 2 begins: both']);
  expect([...teachers].map((teacher) => teacher === null)).toEqual([true, false]);
  expect(logitsOf(run.teacher!)).toEqual(left);
  // with the weights still float, though the student's are bits
  expect(run.teacher!.context.values).toMatchObject({ binaryWeights: 0, binaryActivations: 1 });
  expect(run.network.context.values).toMatchObject({ binaryWeights: 1, binaryActivations: 1 });
  // what nobody said is stored too
  const { options: stored } = effectiveOf(
    parseConfig(options({ stages: [stages[0]!, { binary: 'both', teacher: 'previous' }] })),
    run.network,
  ).stages![1]!;
  expect(stored).toMatchObject({ distill: 0.5, temperature: 4 });
  const plain = await train({ stages: [stages[0]!, { binary: 'both' }], ema: 0.9 }, 'plain');
  expect(weightsOf(plain.network)).not.toEqual(weightsOf(run.network));
});

const resumed: [string, Partial<TrainOptions>][] = [
  [
    'each stage teaching the next, averages, a best epoch and statistics measured anew',
    {
      stages: [
        { binary: 'none' },
        { binary: 'activations', teacher: 'previous' },
        { binary: 'both', teacher: 'previous' },
      ],
      epochs: 5,
      ema: 0.9,
      keep: 'best',
      validation: 8,
      reestimateNorm: 16,
    },
  ],
  ['the stages of a method', { method: 'rebnn', epochs: 4, batch: 16 }],
  ['a teacher that learns along', { method: 'guided', stages: 'weights-first' }],
];
test.each(resumed)('%s: whatever a kill leaves on the disk, the run ends with the same bits', async (_, given) => {
  const whole = trainer(given, 'whole');
  const { folder } = whole;
  // a kill leaves what was written so far: every state after a write, and while a checkpoint lies in the middle of an epoch
  const states: string[] = [];
  const write = folder.write.bind(folder);
  const keep = () => {
    const state = join(directory, `state-${states.length}`);
    cpSync(folder.path, state, { recursive: true, filter: (path) => !path.endsWith('lock') });
    states.push(state);
  };
  vi.spyOn(folder, 'write').mockImplementation((name, content) => {
    write(name, content);
    if (name.endsWith('.safetensors')) keep();
  });
  await whole.run({
    onStep: ({ epoch, batch }) => {
      if (batch === 2 && epoch % 2 === 1) whole.save();
    },
  });
  const lines = (run: RunFolder) => run.readMetrics().map((line) => ({ ...line, seconds: 0, imagesPerSecond: 0 }));
  expect(states.length).toBeGreaterThan(9);
  for (const state of states.filter((__, i) => i % 2 === 0 || i > states.length - 3)) {
    const again = trainerFor(parseConfig(options(given)), data, new RunFolder(state));
    again.resume(readCheckpoint(join(state, 'checkpoint.safetensors')));
    await again.run();
    expect([state, weightsOf(again.network)]).toEqual([state, weightsOf(whole.network)]);
    expect(lines(again.folder)).toEqual(lines(folder));
  }
});

test('a run names its stages in log, table and config, with every value; --epochs has them in proportion, and says so', async () => {
  const said: string[] = [];
  const path = join(directory, 'run');
  await trainRun(path, options({ method: 'react-net', epochs: 5, batch: 16 }), data, {
    onNote: (line) => said.push(line),
  });
  expect(said).toContain(
    'stages: 1 activations (epochs 1 to 3), 2 both (epochs 4 to 5), in proportion to the 128 + 128 epochs of ReActNet',
  );
  const folder = new RunFolder(path);
  const [first, second] = ['activations', 'both'];
  expect(folder.readMetrics().map(({ stage }) => stage)).toEqual([first, first, first, second, second]);
  const rates = folder.readMetrics().map(({ rate }) => rate / 2.5e-3);
  for (const [i, share] of [1, 2 / 3, 1 / 3, 1, 1 / 2].entries()) expect(rates[i]).toBeCloseTo(share, 6);
  const [head, line] = readFileSync(folder.file('metrics.csv'), 'utf8').split('\n');
  expect([head!.split(',')[1], line!.split(',')[1]]).toEqual(['stage', first]);
  expect(readFileSync(folder.file('report.html'), 'utf8')).toMatch(
    /Stages.*activations.*1 to 3.*adam, rate 0.0025.*weightDecay 0.00001.*4 to 5/s,
  );
  const { effective } = JSON.parse(readFileSync(folder.file('config.json'), 'utf8'));
  expect(effective.stages).toMatchObject([
    {
      name: first,
      epochs: 3,
      binary: 'activations',
      teacher: 'run',
      defaults: {
        optimizer: { id: 'adam', rate: 2.5e-3, weightDecay: 1e-5 },
        rate: { id: 'linear' },
        clipLatent: false,
      },
    },
    { name: second, epochs: 2, binary: 'both', defaults: { optimizer: { id: 'adam', rate: 2.5e-3, weightDecay: 0 } } },
  ]);
  await expect(trainRun(join(directory, 'short'), options({ method: 'react-net', epochs: 1 }), data)).rejects.toThrow(
    /--epochs 1: the run has 2 stages, each of at least one epoch; give it 2 or more, or --stages both/,
  );
});

test('the checkpoint of a stage is evaluated as what it is, and packed once its weights are bits', async () => {
  await train({ stages: 'activations-first', epochs: 2 });
  const folder = new RunFolder(join(directory, 'run'));
  const first = loadTrained(folder.path, 'stage-1.safetensors').network;
  const last = loadTrained(folder.path).network;
  for (const network of [first, last]) network.setTraining(false);
  expect([first.context.values['binaryWeights'], last.context.values['binaryWeights']]).toEqual([0, 1]);
  await expect(packForData(first, data, { allowFloat: 'all' })).rejects.toThrow(
    /weights are still float: stage "activations" does not binarize them; finish the run first/,
  );
  const { model } = await packForData(last, data, { allowFloat: 'all' });
  expect(model.graph.nodes.map(({ op }) => op)).toContain('xnorConv2d');
  // weights first: bits by floats, which is packed where that is allowed
  await train({ stages: 'weights,both', epochs: 2 }, 'weights');
  const { network } = loadTrained(join(directory, 'weights'), 'stage-1.safetensors');
  const signs = (await packForData(network, data, { allowFloat: 'all' })).model.graph.nodes.map(({ op }) => op);
  expect(signs).toContain('signConv2d');
  await expect(packForData(network, data)).rejects.toThrow(/would run in float/);
});

test('a run in stages is prolonged: what is over stays, the rest gets longer', async () => {
  const given = options({ stages: 'activations-first', epochs: 4, schedule: 'linear', optimizer: 'sgd', rate: 0.1 });
  const path = join(directory, 'run');
  let steps = 0;
  await trainRun(path, given, data, {
    onStep: () => {
      // in the third of four epochs: the first stage is over
      if (++steps === 8) process.emit('SIGINT');
    },
  });
  const folder = new RunFolder(path);
  const stored = folder.readConfig();
  await trainRun(path, { ...given, epochs: 8 }, data, { existing: 'resume' });
  expect(folder.readConfig().effective!.stages!.map(({ epochs }) => epochs)).toEqual([2, 6]);
  const metrics = folder.readMetrics();
  expect(metrics.map(({ stage }) => stage)).toEqual(['activations', 'activations', ...Array(6).fill('both')]);
  expect(metrics.at(-1)!.rate).toBeCloseTo(0.1 * (1 - 5 / 6), 6);
  expect(prolongedText(stored, folder.readConfig(), 3)).toMatch(
    /^prolonged from 4 to 8 epochs: .* stages that are not over, .* rate goes on at 0\.0833 instead of 0\.0500, and stage both \(now 6 epochs\) at 17 % of its way instead of 50 %/,
  );
  const three = stored.effective!.stages!;
  const at = (epochs: number, done: number) => prolongedStages(three, epochs, done).map((stage) => stage.epochs);
  expect([at(8, 0), at(8, 1), at(8, 2), at(8, 4)]).toEqual([
    [4, 4],
    [4, 4],
    [2, 6],
    [2, 6],
  ]);
});

test('epochs in proportion add up, and no stage is left without', () => {
  expect(inProportion(900, [600, 300])).toEqual([600, 300]);
  expect(inProportion(10, [600, 300])).toEqual([7, 3]);
  expect(inProportion(3, [1000, 1, 1])).toEqual([1, 1, 1]);
  expect(inProportion(7, [1, 1000, 1])).toEqual([1, 5, 1]);
});

test('stages of the methods add up to their epochs, and their last one is all of them', () => {
  const staged = methods.filter(({ stages }) => stages);
  expect(staged.map(({ id }) => id)).toEqual(['real-to-binary', 'react-net', 'rebnn', 'biper', 'ab-bnn']);
  for (const { id, stages, defaults } of staged) {
    expect(stages!.reduce((sum, { epochs }) => sum + epochs, 0)).toBe(defaults.epochs);
    expect(stages!.at(-1)!.binary).toBe('both');
    const plans = stagesOf(parseConfig(options({ method: id, epochs: defaults.epochs })), methodNamed(id));
    expect(plans.map(({ epochs }) => epochs)).toEqual(stages!.map(({ epochs }) => epochs));
  }
});

test('a command line gives the stages back; what is wrong with them is named', () => {
  const stages: StageOptions[] = [
    { binary: 'activations', rate: 0.01 },
    { binary: 'both', decayOf: { latents: 0 } },
  ];
  expect(commandOf(parseConfig(options({ stages })))).toContain(`--stages '${JSON.stringify(stages)}'`);
  expect(commandOf(parseConfig(options({ stages: 'weights-first' })))).toContain('--stages weights-first');
  const given = (wrong: unknown) => () => parseConfig({ ...options(), stages: wrong });
  expect(given('activation-first')).toThrow(/"activation-first" is no stage; did you mean "activations-first"/);
  expect(given([{ binary: 'both' }, { binary: 'weight' }])).toThrow(
    /--stages, stage 2 \("binary"\): got "weight", expected "none" or "weights" or "activations" or "both"/,
  );
  expect(given([{ binary: 'both', weightdecay: 1 }])).toThrow(/stage 1: unknown option "weightdecay"; did you mean/);
  expect(given(7)).toThrow(/--stages .*got 7, expected a text or a list/);
  let runs = 0;
  const made =
    (method: string, asked: TrainOptions['stages'], more: Partial<TrainOptions> = {}) =>
    () =>
      trainer({ method, stages: asked, ...more }, `run-${runs++}`);
  expect(made('float', 'activations-first')).toThrow(/method "float": it binarizes nothing/);
  expect(made('bop', 'activations-first')).toThrow(/method "bop": its own update rule/);
  expect(made('cbcn', 'activations-first')).toThrow(/latent weights of another shape/);
  expect(made('bnn', 'activations-first', { bitSteps: [4] })).toThrow(/--bit-steps is a plan .* choose one/);
  expect(made('bnn', [{ binary: 'both', teacher: 'previous' }])).toThrow(/first stage has no previous one/);
  expect(made('bnn', [{ binary: 'none' }, { binary: 'both', teacher: '/nowhere' }])).toThrow(/no run at \/nowhere/);
});
