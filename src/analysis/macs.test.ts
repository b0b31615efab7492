import { expect, test } from 'vitest';
import { buildNetwork, modelNamed } from '../models/table.ts';
import { networkMacs, operationsOf } from './macs.ts';

function built(model: string, method: string, classes = 1000) {
  const network = buildNetwork({ model, method, inputShape: modelNamed(model).inputShape, classes, width: 1, seed: 1 });
  // trained to the end: methods with stages binarize all by then
  network.setPoint({ progress: 1, epoch: 1 });
  return network;
}

test.each([
  // He et al. 2016: 1.8, 3.6 and (with the stride in the 3x3 convolution) 4.1 billion; every framework counts these
  ['resnet18-imagenet', 1000, 1.814e9],
  ['resnet34-imagenet', 1000, 3.664e9],
  ['resnet50-imagenet', 1000, 4.089e9],
  // 5.58 billion operations (Redmon 2017), of which its convolutional classifier on 7x7 pixels takes 49 times what a dense one does
  ['darknet19', 1000, 5.58e9 / 2 - 48 * 1024e3],
  ['resnet20', 10, 40.55e6],
])('%s: float MACs as published', (model, classes, published) => {
  const { binary, float } = networkMacs(built(model, 'float', classes));
  expect(binary).toBe(0);
  expect(float / published).toBeCloseTo(1, 2);
});

test.each([
  // Liu 2018, table 4; Bethge 2019, table 4; Liu 2020, table 1
  ['resnet18-imagenet', 'bi-real', 1.63e8],
  ['resnet34-imagenet', 'bi-real', 1.93e8],
  ['binary-densenet28', 'bnn', 2.58e8],
  ['react-net-a', 'react-net', 0.87e8],
  // Bethge 2021, table 2
  ['meliusnet22', 'bnn', 2.08e8],
])('%s by %s: OPs = float MACs + binary MACs / 64 as published', (model, method, published) => {
  expect(operationsOf(networkMacs(built(model, method))) / published).toBeCloseTo(1, 1.9);
});

test('ReActNet-A: 4.82 billion binary and 12 million float MACs (Liu 2020, table 1)', () => {
  const { binary, float } = networkMacs(built('react-net-a', 'react-net'));
  expect(binary / 4.82e9).toBeCloseTo(1, 2);
  expect(float / 0.12e8).toBeCloseTo(1, 1);
});

test("MeliusNet-22: 6,944,584 parameters (larq zoo's)", () => {
  const counted = built('meliusnet22', 'bnn').parameters();
  expect(counted.reduce((sum, { value }) => sum + value.size, 0)).toBe(6_944_584);
});

test("BNext-Tiny: multiply-accumulates and parameters of the authors' code, 0.077 billion OPs of signs (README)", () => {
  const network = built('bnext-tiny', 'react-net');
  const { binary, float } = networkMacs(network);
  expect({ binary, float }).toEqual({ binary: 4_816_896_000, float: 13_344_512 });
  expect(binary / 64 / 0.077e9).toBeCloseTo(1, 1.3);
  // 8,960 slopes of PReLU that its modules hold and never use are not built here
  const counted = network.parameters().reduce((sum, { value }) => sum + value.size, 0);
  expect(counted).toBe(30_862_236 - 8960);
});

test('every bit-plane of an activation counts', () => {
  const macs = (method: string) => networkMacs(built('resnet20', method, 10));
  expect(macs('dorefa-w1a2').binary).toBe(2 * macs('dorefa-w1a1').binary);
  expect(macs('dorefa-w1a1').float).toBe(macs('dorefa-w1a2').float);
});
