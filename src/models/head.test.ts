import { expect, test } from 'vitest';
import { lint } from '../analysis/lint.ts';
import { summarise } from '../analysis/summary.ts';
import { Random } from '../core/random.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { Linear } from '../nn/layers.ts';
import type { Sequential } from '../nn/module.ts';
import { pack } from '../pack/pack.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';
import { buildNetwork } from './table.ts';

const config = {
  model: 'resnet20',
  inputShape: [8, 8, 3] as [number, number, number],
  classes: 3,
  width: 0.5,
  seed: 1,
};

function images(count: number, seed: number): Tensor {
  const data = new Float32Array(count * 8 * 8 * 3);
  new Random(seed).fillNormal(data, 0, 1);
  return new Tensor(data, [count, 8, 8, 3]);
}

/** Statistics and factors as if it had been trained. */
function shaken(network: Network): Network {
  const random = new Random(2);
  for (const { value } of network.modules())
    if (value instanceof BatchNorm) {
      random.fillUniform(value.gamma.data, 0.5, 1.5);
      random.fillUniform(value.beta.data, -0.5, 0.5);
      random.fillUniform(value.runningMean.data, -0.5, 0.5);
      random.fillUniform(value.runningVariance.data, 0.5, 2);
    }
  network.setTraining(false);
  return network;
}

const last = (network: Network) => (network.body as Sequential).layers.slice(-2);

test.each(['ir-net', 'rbnn', 'recu', 'siman', 'ada-bin', 'biper'])('%s: average, batch-norm, classifier', (method) => {
  const [norm, classifier] = last(buildNetwork({ ...config, method }));
  expect(norm).toBeInstanceOf(BatchNorm);
  expect(classifier).toBeInstanceOf(Linear);
});

test('the head computes FC(BN(mean of the last maps))', () => {
  const network = shaken(buildNetwork({ ...config, method: 'ir-net' }));
  const layers = (network.body as Sequential).layers;
  const [norm, classifier] = last(network) as [BatchNorm, Linear];
  inference(() => {
    const maps = layers.slice(0, -3).reduce((x, layer) => layer.forward(x), images(2, 3));
    const logits = network.forward(images(2, 3));
    const [pixels, channels] = [maps.size / maps.channels / 2, maps.channels];
    for (let n = 0; n < 2; n++)
      for (let k = 0; k < 3; k++) {
        let expected = classifier.bias.data[k]!;
        for (let c = 0; c < channels; c++) {
          let mean = 0;
          for (let p = 0; p < pixels; p++) mean += maps.data[(n * pixels + p) * channels + c]! / pixels;
          const spread = Math.sqrt(norm.runningVariance.data[c]! + 1e-5);
          const normal = (norm.gamma.data[c]! * (mean - norm.runningMean.data[c]!)) / spread + norm.beta.data[c]!;
          expected += normal * classifier.weight.data[c * 3 + k]!;
        }
        expect(logits.data[n * 3 + k]).toBeCloseTo(expected, 4);
      }
  });
});

test('it packs bit for bit, runs, is summed up and gives lint nothing to find', () => {
  const network = shaken(buildNetwork({ ...config, method: 'ir-net' }));
  const options = { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] };
  const { bytes } = pack(network, images(4, 4), options);
  const model = loadPackedModel(bytes);
  const rows = summarise(model, 1, 1);
  expect(rows.slice(-3).map(({ op, shape }) => [op, shape])).toEqual([
    ['globalAvgPool', '32'],
    ['affine', '32'],
    ['dense', '3'],
  ]);
  // a factor and a shift per channel
  expect(rows.at(-2)!.parameters).toBe(64);
  expect(lint(network).filter(({ severity }) => severity !== 'note')).toEqual([]);
});

test('--head gives it to other methods and takes it from these; models with one head refuse', () => {
  expect(last(buildNetwork({ ...config, method: 'bi-real', tricks: { head: 'norm' } }))[0]).toBeInstanceOf(BatchNorm);
  expect(last(buildNetwork({ ...config, method: 'ir-net', tricks: { head: 'plain' } }))[0]).not.toBeInstanceOf(
    BatchNorm,
  );
  expect(() => buildNetwork({ ...config, model: 'sfc', method: 'bnn', tricks: { head: 'norm' } })).toThrow(
    /--head: sfc has one head only; take a ResNet/,
  );
});

test.each([
  ['ir-net', 'he'],
  ['rbnn', 'he'],
  ['siman', 'he'],
  ['ada-bin', 'he'],
  ['recu', 'even'],
  ['bi-real', 'even'],
] as const)("the classifier of %s starts %s, as in its authors' code", (method, start) => {
  const network = buildNetwork({ ...config, method, width: 4, classes: 100 });
  const { weight } = network.modules().findLast(({ value }) => value instanceof Linear)!.value as Linear;
  const [inputs] = weight.shape as [number, number];
  const deviation = Math.sqrt(weight.data.reduce((sum, w) => sum + w * w, 0) / weight.size);
  expect(deviation * Math.sqrt(inputs)).toBeCloseTo(start === 'he' ? Math.SQRT2 : 1 / Math.sqrt(3), 1);
  const largest = weight.data.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
  expect(largest <= 1 / Math.sqrt(inputs)).toBe(start === 'even');
});
