import { expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { buildNetwork } from '../models/table.ts';
import { ConvUnit } from '../models/units.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Bench } from './equations.testing.ts';
import type { Method } from './method.ts';
import { methodNamed } from './table.ts';
import { type Tricks, withTricks } from './tricks.ts';

const tricked = (id: string, tricks: Tricks): Method => withTricks(methodNamed(id), tricks);
const weights = [
  [0.9, -0.1],
  [-0.3, 0.4],
  [0.05, -0.6],
  [0.2, 0.7],
];

test('another estimator changes the slope and nothing else', () => {
  const x = [-1.5, -0.75, 0, 0.25];
  const bench = new Bench(tricked('bnn', { estimator: 'approx-sign' }), weights);
  expect(bench.activated(x)).toEqual(new Bench(methodNamed('bnn'), weights).activated(x));
  // max(0, 2 - 2|x|)
  expect(bench.activationSlopes(x)['x']).toEqual([0, 0.5, 2, 1.5]);
  const swapped = new Bench(tricked('bi-real', { weightEstimator: 'identity' }), [[2], [0.5]]);
  // without the clip at |w| = 1
  expect(swapped.weightGradients([1, 1])['weight']).toEqual([1, 1]);
  expect(new Bench(methodNamed('bi-real'), [[2], [0.5]]).weightGradients([1, 1])['weight']).toEqual([0, 1]);
});

test('error decay brings its schedule along', () => {
  const method = tricked('bnn', { estimator: 'ede' });
  expect(method.schedule!({ progress: 0, epoch: 0 })['t']).toBeCloseTo(0.1);
  expect(method.schedule!({ progress: 1, epoch: 9 })['t']).toBeCloseTo(10);
});

test('stages leave one of the two float for half of the training', () => {
  const first = tricked('bnn', { stages: 'activations-first' });
  const at = (progress: number) => new Bench(first, weights, { ...first.schedule!({ progress, epoch: 0 }) });
  expect(at(0.2).effective()).toEqual(weights.flat().map(Math.fround));
  expect(at(0.2).activated([0.3, -0.2, 0.7, -1])).toEqual([1, -1, 1, -1]);
  expect(at(0.6).effective()).toEqual(new Bench(methodNamed('bnn'), weights).effective());
});

test('partitions quantize the largest weights first, and pass each weight the gradient of its place', () => {
  const method = tricked('bnn', { partitions: [0.5] });
  const values = method.schedule!({ progress: 0, epoch: 0 });
  const half = new Bench(method, weights, { ...values });
  expect(values['trickShare']).toBe(0.5);
  // of the eight magnitudes the largest four are .9 .7 .6 .4
  expect(half.effective()).toEqual([1, -0.1, -0.3, 1, 0.05, -1, 0.2, 1].map(Math.fround));
  expect(half.weightGradients([1, 2, 3, 4, 5, 6, 7, 8])['weight']).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const all = new Bench(method, weights, { ...method.schedule!({ progress: 0.5, epoch: 0 }) });
  expect(all.effective()).toEqual(weights.flat().map(Math.sign));
});

test('bit steps go down to the own quantizers of the method', () => {
  const method = tricked('bnn', { bitSteps: [8, 2] });
  const at = (progress: number) => new Bench(method, weights, { ...method.schedule!({ progress, epoch: 0 }) });
  expect(new Set(at(0).effective()).size).toBe(8);
  const levels = [-1, -1 / 3, 1 / 3, 1].map(Math.fround);
  for (const value of at(0.4).effective()) expect(levels).toContain(value);
  expect(at(0.4).activated([-2, -0.4, 0.4, 2])).toEqual(levels);
  expect(at(0.4).activationSlopes([-2, -0.4, 0.4, 2])['x']).toEqual([0, 1, 1, 0]);
  expect(at(0.9).effective()).toEqual(weights.flat().map(Math.sign));
});

test('structure: order, shortcuts, momentum of the norms', () => {
  const config = { model: 'resnet20', method: 'bnn', inputShape: [8, 8, 3], classes: 3, width: 0.25, seed: 1 } as const;
  const network = buildNetwork({ ...config, tricks: { normMomentum: 0.02, shortcut: 'every-conv' } });
  const norms = network.modules().filter(({ value }) => value instanceof BatchNorm);
  expect(norms.every(({ value }) => (value as BatchNorm).momentum === 0.02)).toBe(true);
  expect(network.method.structure).toMatchObject({ shortcut: 'every-conv', order: 'conv-bn' });
  const plain = buildNetwork(config);
  const latents = (of: typeof plain) =>
    of.modules().flatMap(({ value }) => (value instanceof BinaryConv2d ? [...value.weight.data] : []));
  expect(latents(network)).toEqual(latents(plain));
});

test.each(['resnet18', 'resnet50-imagenet'])(
  '%s without shortcuts: its input reaches the logits by its convolutions only',
  (model) => {
    const config = { model, method: 'bi-real', inputShape: [32, 32, 3], classes: 3, width: 0.125, seed: 1 } as const;
    const logits = (shortcut: 'every-conv' | 'none') => {
      const network = buildNetwork({ ...config, tricks: { shortcut } });
      // the first convolution lets nothing through: only shortcuts could
      const modules = network.modules().map(({ value }) => value);
      (modules.find((module) => module instanceof ConvUnit)!.norm as BatchNorm).gamma.data.fill(0);
      network.setTraining(false);
      const images = Float32Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => Math.sin(i * i));
      const y = inference(() => network.forward(new Tensor(images, [2, 32, 32, 3])).data.slice());
      return [y.subarray(0, 3), y.subarray(3)];
    };
    const [first, second] = logits('every-conv');
    expect(first).not.toEqual(second);
    const [plain, same] = logits('none');
    expect(plain).toEqual(same);
  },
);

test.each([
  ['bnn', { activation: 'relu' }, /--activation relu.*\+1 everywhere/],
  ['xnor-net', { pooling: 'after-norm' }, /--pooling after-norm does not go with method "xnor-net"/],
  ['bbg', { shortcut: 'every-block' }, /gates its own shortcuts/],
  ['bop', { weightEstimator: 'clip' }, /its own rule moves the weights/],
  ['dorefa-w1a2', { estimator: 'clip' }, /not a plain sign/],
  ['bnn', { estimator: 'clp' }, /unknown estimator "clp"; did you mean "clip"/],
  ['bnn', { stages: 'weights-first', bitSteps: [2] }, /choose one/],
  ['float', { stages: 'weights-first' }, /binarizes nothing/],
  ['inq-binary', { partitions: [0.5] }, /its own update rule/],
  ['cbcn', { partitions: [0.5] }, /latent weights of another shape/],
] as [string, Tricks, RegExp][])('%s refuses %j', (method, tricks, message) => {
  expect(() => tricked(method, tricks)).toThrow(message);
  expect(() => tricked(method, tricks)).toThrow(UsageError);
});

test('networks without shortcuts refuse options about them; several weights for one cannot be partitioned', () => {
  const config = { inputShape: [8, 8, 3], classes: 3, width: 0.25, seed: 1 } as const;
  expect(() =>
    buildNetwork({ ...config, model: 'vgg-small', method: 'bnn', tricks: { shortcut: 'every-conv' } }),
  ).toThrow(/vgg-small has no shortcuts/);
  expect(() =>
    buildNetwork({ ...config, model: 'vgg-small', method: 'abc-net', tricks: { partitions: [0.5] } }),
  ).toThrow(/several weights for one latent weight/);
});
