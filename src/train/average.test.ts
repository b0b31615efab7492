import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Batches } from '../data/batches.ts';
import { buildNetwork } from '../models/table.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { WeightAverage } from './average.ts';
import { readCheckpoint } from './checkpoint.ts';
import { parseConfig, type TrainOptions } from './config.ts';
import { evaluate } from './evaluate.ts';
import { loadTrained } from './load-network.ts';
import { reestimateNorms } from './reestimate-norms.ts';
import { RunFolder } from './run-folder.ts';
import { blobData } from './synthetic.testing.ts';
import { trainerFor } from './trainer-for.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-average-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const data = blobData();
const built = () =>
  buildNetwork({ model: 'resnet20', method: 'rbnn', inputShape: [8, 8, 1], classes: 4, width: 0.25, seed: 1 });
const config = (options: Partial<TrainOptions> = {}) =>
  parseConfig({ model: 'resnet20', method: 'ir-net', data: 'blobs', width: 0.5, epochs: 2, batch: 32, ...options });

async function judge(network: ReturnType<typeof built>): Promise<number> {
  network.setTraining(false);
  const forward = (images: Float32Array, count: number) =>
    inference(() => network.forward(new Tensor(images, [count, ...data.shape])).data.slice());
  return (await evaluate(forward, new Batches(data, data.test, 256), 4)).loss;
}

test('the average is d mean + (1 - d) now, d growing from 2/11 to the decay; kept values are not averaged', () => {
  const network = built();
  const latent = network.parameters().find(({ value }) => value.role === 'latent')!.value;
  const kept = network.stateArrays().find(({ name }) => name.endsWith('solvedEpoch'))!.value;
  const average = new WeightAverage(network, 0.6);
  let expected = latent.data[0]!;
  for (const [i, now] of [3, -1, 0.5, 2, 2, 2, 8, 1, 1, 1].entries()) {
    latent.data[0] = now;
    kept.data[0] = now;
    average.update(i + 1);
    const d = Math.min(0.6, (2 + i) / (11 + i));
    expected = d * expected + (1 - d) * now;
  }
  average.settle();
  expect(latent.data[0]).toBeCloseTo(expected, 5);
  expect(kept.data[0]).toBe(1);
});

test('a run with --ema is evaluated, loaded and handed out with its averages; its last weights lie beside them', async () => {
  const folder = new RunFolder(join(directory, 'run'));
  folder.lock();
  const { evaluation, network } = await trainerFor(config({ ema: 0.95 }), data, folder).run();
  const loss = evaluation!.loss;
  expect(folder.readMetrics().at(-1)!.testLoss).toBe(loss);
  expect(await judge(network)).toBe(loss);
  expect(await judge(loadTrained(folder.path).network)).toBe(loss);
  const last = loadTrained(folder.path, undefined, false).network;
  expect(await judge(last)).not.toBe(loss);
  // training went on from the weights themselves: the same as without averages
  const plain = new RunFolder(join(directory, 'plain'));
  plain.lock();
  await trainerFor(config(), data, plain).run();
  expect(await judge(last)).toBe(await judge(loadTrained(plain.path).network));
  expect([...readCheckpoint(plain.file('checkpoint.safetensors')).tensors.keys()].join()).not.toContain('ema/');
});

test('statistics measured anew are the means over the batches of what each norm sees', async () => {
  const network = built();
  const [norm] = network.modules().flatMap(({ value }) => (value instanceof BatchNorm ? [value] : []));
  norm!.runningMean.data.fill(9);
  const momentum = norm!.momentum;
  const batches = new Batches(data, data.train, 64);
  async function* three() {
    for (let i = 0; i < 3; i++) yield await batches.plain(i);
  }
  await reestimateNorms(network, three());
  // the first norm follows the stem's convolution: each batch by hand
  const { conv } = (network.body as unknown as { layers: { conv: { forward(x: Tensor): Tensor } }[] }).layers[0]!;
  let [mean, variance] = [0, 0];
  for (let i = 0; i < 3; i++) {
    const { images, count } = await batches.plain(i);
    const values = inference(() => {
      const y = conv.forward(new Tensor(images, [count, ...data.shape]));
      return y.data.slice().filter((_, at) => at % y.channels === 0);
    });
    const middle = values.reduce((a, b) => a + b, 0) / values.length;
    mean += middle / 3;
    variance += values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / 3;
  }
  expect(norm!.runningMean.data[0]).toBeCloseTo(mean, 5);
  expect(norm!.runningVariance.data[0]).toBeCloseTo(variance, 4);
  expect(norm!.momentum).toBe(momentum);
  expect(network.training).toBe(true);
});

test('--reestimate-norm changes statistics alone, at the end', async () => {
  const run = async (name: string, options: Partial<TrainOptions>) => {
    const folder = new RunFolder(join(directory, name));
    folder.lock();
    await trainerFor(config(options), data, folder).run();
    return { network: loadTrained(folder.path).network, metrics: folder.readMetrics() };
  };
  const [without, anew] = [await run('a', {}), await run('b', { reestimateNorm: 128 })];
  const weights = ({ network }: typeof anew) => network.parameters().map(({ value }) => value.data);
  const statistics = ({ network }: typeof anew) => network.stateArrays().map(({ value }) => value.data);
  expect(weights(anew)).toEqual(weights(without));
  expect(statistics(anew)).not.toEqual(statistics(without));
  expect(anew.metrics[0]!.testLoss).toBe(without.metrics[0]!.testLoss);
  expect(anew.metrics[1]!.testLoss).not.toBe(without.metrics[1]!.testLoss);
});
