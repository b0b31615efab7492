import { expect, test } from 'vitest';
import { signActivation } from '../binarize/activations.ts';
import { BinarizeContext } from '../binarize/context.ts';
import { clippedSte } from '../binarize/estimators.ts';
import type { Method } from '../methods/method.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { Network } from '../models/network.ts';
import { buildNetwork, modelNamed } from '../models/table.ts';
import type { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { flattenLayer, Lambda, Linear, maxPoolLayer, reluLayer } from '../nn/layers.ts';
import { type Module, Sequential } from '../nn/module.ts';
import { parseConfig } from '../train/config.ts';
import { lint } from './lint.ts';

const base = { model: 'vgg-small', inputShape: [8, 8, 3] as [number, number, number], classes: 10, width: 1, seed: 1 };
const rules = (findings: ReturnType<typeof lint>) => new Set(findings.map(({ rule }) => rule));

test('a sound network of a published method has no error', () => {
  for (const method of ['bnn', 'ir-net', 'bi-real', 'xnor-net-no-k']) {
    const findings = lint(buildNetwork({ ...base, method }));
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(rules(findings).has('missing-batch-norm')).toBe(false);
  }
});

/** A network of hand-made layers around one or two binary convolutions. */
function handMade(layers: (conv: (from: number, to: number) => Module) => Module[]): Network {
  const method: Method = methodNamed('bnn');
  return new Network({ ...base, method: 'bnn' }, method, ({ quantization, random }) => {
    const conv = (inChannels: number, outChannels: number) =>
      new BinaryConv2d({ inChannels, outChannels, kernel: 3, pad: 1 }, quantization, random);
    return new Sequential([
      ...layers(conv),
      flattenLayer(),
      new Lambda((x) => new Linear(x.channels, 10, random).forward(x)),
    ]);
  });
}

test('ReLU before a sign, missing batch-norm, odd channels, binary first layer', () => {
  const found = rules(lint(handMade((conv) => [conv(3, 40), reluLayer(), conv(40, 64)])));
  for (const rule of ['relu-before-sign', 'missing-batch-norm', 'odd-channels', 'first-layer-binarized'])
    expect(found).toContain(rule);
});

test('a network whose values overflow: its first layer that is not finite is named', () => {
  const network = buildNetwork({ ...base, method: 'bi-real', model: 'resnet20' });
  const third = network.modules().find(({ name }) => name === 'body.layers.3.second.norm')!.value as BatchNorm;
  third.gamma.data.fill(Number.MAX_VALUE);
  expect(lint(network)).toContainEqual(
    expect.objectContaining({ rule: 'not-finite', severity: 'error', where: '3.second.norm.affine' }),
  );
});

test('a method with stages is judged by its binary layers at the end, and left where it was', () => {
  const network = buildNetwork({ ...base, method: 'react-net', model: 'resnet20', width: 0.3 });
  expect(rules(lint(network))).toContain('odd-channels');
  expect(network.point).toEqual({ progress: 0, epoch: 0 });
});

test('pooling of signs is seen, pooling before the sign is fine', () => {
  const sign = new Lambda((x) => signActivation(x, clippedSte, new BinarizeContext(1)));
  const pool = maxPoolLayer({ window: 2 });
  expect(rules(lint(handMade((conv) => [conv(3, 32), sign, pool, conv(32, 32)])))).toContain('pool-after-sign');
  expect(rules(lint(handMade((conv) => [conv(3, 32), pool, conv(32, 32)])))).not.toContain('pool-after-sign');
});

test('weight decay on latents and unclipped latents', () => {
  const config = parseConfig({
    model: 'vgg-small',
    method: 'xnor-net',
    data: '-',
    epochs: 1,
    batch: 1,
    optimizer: 'sgd',
    weightDecay: 1e-4,
  });
  const found = rules(lint(buildNetwork({ ...base, method: 'xnor-net' }), config));
  expect(found).toContain('latent-weight-decay');
  expect(found).toContain('unclipped-latents');
  expect(modelNamed('sfc').id).toBe('sfc');
});

test('a layer that never flips, constant filters, stuck weights and saturated signs are read from the log', () => {
  const layer = {
    layer: '1',
    signFlips: 0,
    saturation: 0.6,
    quantizationError: 0,
    stuckWeights: 0.37,
    gradientNorm: 0,
    constantFilters: 0.25,
  };
  const epoch = {
    epoch: 0,
    step: 0,
    rate: 0,
    trainLoss: 0,
    trainAccuracy: 0,
    testLoss: 0,
    testAccuracy: 0,
    testTop5: 0,
    imagesPerSecond: 0,
    seconds: 0,
    layers: [layer],
  };
  const found = rules(lint(buildNetwork({ ...base, method: 'bnn' }), undefined, [epoch, epoch, epoch]));
  expect(found).toContain('dead-layer');
  expect(found).toContain('constant-filters');
  expect(found).toContain('stuck-weights');
  expect(found).toContain('saturated-activations');
  const floatSigns = rules(lint(buildNetwork({ ...base, method: 'bwn' }), undefined, [epoch]));
  expect(floatSigns).not.toContain('saturated-activations');
});

test('no method of the table has an error of structure on a ResNet', () => {
  for (const { id } of methods) {
    const network = buildNetwork({ ...base, model: 'resnet20', method: id });
    network.setPoint({ progress: 1, epoch: 1 });
    const findings = lint(network);
    expect([id, findings.filter(({ severity }) => severity === 'error')]).toEqual([id, []]);
    expect([id, rules(findings)]).toEqual([id, expect.not.arrayContaining(['missing-batch-norm'])]);
  }
});
