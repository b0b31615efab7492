import { describe, expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { methods } from '../methods/table.ts';
import type { Tricks } from '../methods/tricks.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/table.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { backward, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { pack } from './pack.ts';

const shape: [number, number, number] = [8, 8, 3];
const random = new Random(5);

function images(count: number): Tensor {
  const data = new Float32Array(count * shape.reduce((a, b) => a * b));
  random.fillNormal(data, 0, 1);
  return new Tensor(data, [count, ...shape]);
}

/** Loss of one step at a point of the training. */
function step(network: Network, progress: number): number {
  network.setPoint({ progress, epoch: progress });
  return trainingStep(() => {
    const loss = softmaxCrossEntropy(network.forward(images(4)), new Uint16Array([0, 1, 2, 0]));
    const value = loss.data[0]!;
    backward(loss);
    for (const { value: parameter } of network.parameters()) parameter.grad = null;
    return value;
  });
}

const everyTrick: readonly [name: string, tricks: Tricks, model: string][] = [
  ['conv-bn order', { blockOrder: 'conv-bn' }, 'sfc'],
  ['bn-conv order', { blockOrder: 'bn-conv' }, 'vgg-small'],
  ['pooling after norm', { pooling: 'after-norm' }, 'vgg-small'],
  ['shortcut around every conv', { shortcut: 'every-conv' }, 'resnet20'],
  ['shortcut around every block', { shortcut: 'every-block' }, 'resnet20'],
  ['no shortcuts', { shortcut: 'none' }, 'resnet20'],
  ['prelu', { activation: 'prelu' }, 'sfc'],
  ['relu', { activation: 'relu' }, 'sfc'],
  ['slow norms', { normMomentum: 0.01 }, 'sfc'],
  ['approx-sign', { estimator: 'approx-sign' }, 'sfc'],
  ['ede on weights', { weightEstimator: 'ede' }, 'sfc'],
  ['activations first', { stages: 'activations-first' }, 'sfc'],
  ['weights first', { stages: 'weights-first' }, 'sfc'],
  ['bit steps', { bitSteps: [4, 2] }, 'sfc'],
  ['partitions', { partitions: [0.5, 0.75] }, 'sfc'],
];

describe.each(everyTrick)('%s', (_, tricks, model) => {
  test('every method takes it, trains in all its stages and packs bit for bit, or refuses it with a reason', () => {
    const refused: string[] = [];
    for (const { id } of methods) {
      let network: Network;
      try {
        network = buildNetwork({ model, method: id, inputShape: shape, classes: 3, width: 0.1, seed: 3, tricks });
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect((error as Error).message.length).toBeGreaterThan(40);
        refused.push(id);
        continue;
      }
      for (const progress of [0, 0.4, 0.7, 1]) expect(step(network, progress), id).toBeLessThan(100);
      // packing verifies every value against the trained network
      expect(() =>
        pack(network, images(4), { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] }),
      ).not.toThrow();
    }
    expect(refused.length).toBeLessThan(methods.length);
  });
});
