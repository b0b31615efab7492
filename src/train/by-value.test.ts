import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BatchNorm,
  BinaryLinear,
  binarize,
  buildNetwork,
  defineMethod,
  defineModel,
  Lambda,
  type BinaryConv2d as Layer,
  Linear,
  loadTrained,
  type Method,
  methodNamed,
  modelNamed,
  ops,
  optim,
  pack,
  parseConfig,
  RunFolder,
  Sequential,
  Tensor,
  Trainer,
  trainRun,
} from '../index.ts';
import { blobData } from './synthetic.testing.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-by-value-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = blobData(8, 64, 32);

// what a stranger writes, from the package's entry alone
const updates: number[] = [];
const mine: Method = defineMethod({
  id: 'mine',
  title: 'Mine',
  paper: 'none',
  family: 'naive',
  bits: { weight: 1, activation: 1 },
  weight: binarize.binarizeWeights({
    scale: binarize.filterMean,
    estimator: binarize.straightThrough,
    scaleGradient: 'detached',
  }),
  activation: binarize.binarizeActivation(binarize.clippedSte),
  update: { afterStep: (layers: readonly Pick<Layer, 'weight'>[]) => void updates.push(layers.length) },
  stages: [
    { name: 'warm', epochs: 1, binary: 'activations' },
    { name: 'cold', epochs: 2, binary: 'both', defaults: { optimizer: optim.adam({ rate: 0.005 }) } },
  ],
  structure: { order: 'conv-bn', shortcut: 'none', activation: 'hardtanh' },
  defaults: {
    optimizer: optim.adam({ rate: 0.01 }),
    rate: optim.cosine(),
    epochs: 3,
    batch: 16,
    loss: 'cross-entropy',
    clipLatent: true,
  },
});
const net = defineModel({
  id: 'mine-net',
  title: 'Two layers',
  inputShape: [8, 8, 1],
  smallestSide: 2,
  build: ({ config, quantization, random }) => {
    const inputs = config.inputShape.reduce((a, b) => a * b);
    return new Sequential([
      new Lambda((x) => ops.reshape(x, [x.shape[0]!, inputs])),
      new BinaryLinear(inputs, 32, quantization, random),
      new BatchNorm(32),
      new Lambda(ops.hardtanh),
      new Linear(32, config.classes, random),
    ]);
  },
});
const own = { methods: [mine], models: [net] };
const options = { model: net.id, method: mine.id, data: 'blobs', epochs: 6, batch: 16 } as const;
const networkOptions = { inputShape: [8, 8, 1], classes: 4, width: 1, seed: 1 } as const;

test('a method and a model that no table knows are trained, by values', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  folder.lock();
  const network = buildNetwork(net, mine, networkOptions);
  const { evaluation } = await new Trainer({ network, data, folder, config: parseConfig(options) }).run();
  expect(network.method).toBe(mine);
  expect(evaluation!.top1).toBeGreaterThan(0.6);
  expect(updates.length).toBe(24);
  expect(folder.readMetrics().map(({ stage }) => stage)).toEqual([...Array(2).fill('warm'), ...Array(4).fill('cold')]);
  // bits to the end
  const pixels = Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(i));
  expect(pack(network, new Tensor(pixels, [4, 8, 8, 1]), data).model.predict(new Uint8Array(64), 1)).toHaveLength(1);
});

test('a whole run of them is stopped, continued to the same bits and loaded, by whoever hands them in', async () => {
  const weights = (path: string) =>
    loadTrained(join(directory, path), undefined, true, own)
      .network.parameters()
      .map(({ value }) => value.data);
  await trainRun(join(directory, 'whole'), options, data, own);
  let steps = 0;
  const onStep = () => {
    if (++steps === 11) process.emit('SIGINT');
  };
  expect((await trainRun(join(directory, 'cut'), options, data, { ...own, onStep })).finished).toBe(false);
  await trainRun(join(directory, 'cut'), options, data, { ...own, existing: 'resume' });
  expect(weights('cut')).toEqual(weights('whole'));
  expect(() => loadTrained(join(directory, 'cut'))).toThrow(/unknown method "mine"/);
  await expect(trainRun(join(directory, 'other'), options, data)).rejects.toThrow(/unknown method "mine"/);
});

test('a student of their model learns from a float network that learns along, or from their own run', async () => {
  const along: Method = { ...mine, id: 'along', teacher: 'joint', lossTerms: methodNamed('guided').lossTerms! };
  const { network } = await trainRun(join(directory, 'run'), { ...options, method: 'along', epochs: 3 }, data, {
    methods: [along],
    models: [net],
  });
  expect(network.config.method).toBe('along');
  const teacher = join(directory, 'run');
  const taught = { ...options, epochs: 3, teacher, distill: 0.5 };
  await trainRun(join(directory, 'taught'), taught, data, { methods: [mine, along], models: [net] });
  await expect(trainRun(join(directory, 'lost'), taught, data, own)).rejects.toThrow(/unknown method "along"/);
});

test('their names must be their own; Signum names build the same network as their values', async () => {
  const bnn: Method = { ...mine, id: 'bnn' };
  await expect(trainRun(join(directory, 'a'), options, data, { methods: [bnn] })).rejects.toThrow(
    /method "bnn" exists already.* choose another id/,
  );
  await expect(trainRun(join(directory, 'a'), options, data, { ...own, models: [net, net] })).rejects.toThrow(
    /model "mine-net" exists already/,
  );
  const byName = buildNetwork({ ...networkOptions, model: 'sfc', method: 'bnn' });
  const byValue = buildNetwork(modelNamed('sfc'), methodNamed('bnn'), networkOptions);
  expect(byValue.config).toEqual(byName.config);
  expect(byValue.parameters().map(({ value }) => value.data)).toEqual(
    byName.parameters().map(({ value }) => value.data),
  );
  expect(() => buildNetwork(net, mine, { ...networkOptions, inputShape: [1, 1, 1] })).toThrow(
    /mine-net needs images of at least 2 pixels/,
  );
});
