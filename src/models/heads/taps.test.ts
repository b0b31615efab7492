import { describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { methodNamed } from '../../methods/table.ts';
import { Linear } from '../../nn/layers.ts';
import { Module, type Sequential } from '../../nn/module.ts';
import { globalAvgPool } from '../../tensor/ops/pooling.ts';
import { inference } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Maps, TapName, Taps } from '../backbone.ts';
import { BranchedStack } from '../branches.ts';
import type { Network } from '../network.ts';
import { buildNetwork, modelNamed } from '../table.ts';
import { classifier } from './classifier.ts';
import { defineHead, type Head, headSettings, type Outputs } from './head.ts';

/** Gives the maps of its taps as they are, and a number of them all. */
class Probe extends Module<Maps, Outputs> {
  readonly last: Linear;

  constructor(channels: number) {
    super();
    this.last = new Linear(channels, 2, new Random(5));
  }

  override forward(maps: Maps): Outputs {
    const deepest = Object.values(maps).at(-1)!;
    return { answer: this.last.forward(globalAvgPool(deepest)), ...maps };
  }
}

const probe = (names: (taps: Taps) => readonly TapName[], seen: (taps: Taps) => void = () => {}): Head =>
  defineHead({
    id: 'probe',
    outputs: ['answer'],
    build: (taps) => {
      seen(taps);
      const wanted = names(taps);
      return new Probe(taps.take(...wanted)[wanted.at(-1)!]!.channels);
    },
    targets: () => null,
    loss: ({ answer }) => ({ total: answer!, parts: {} }),
    decode: () => null,
  });

const images = (side: number) => {
  const data = new Float32Array(2 * side * side * 3);
  new Random(1).fillNormal(data, 0, 1);
  return new Tensor(data, [2, side, side, 3]);
};

const small = (model: string, method: string, side: number, head?: Head) =>
  buildNetwork(modelNamed(model), methodNamed(method), {
    inputShape: [side, side, 3],
    classes: 3,
    width: 0.125,
    seed: 1,
    head,
  });

const named = (network: Network) =>
  new Map([...network.parameters(), ...network.stateArrays()].map(({ name, value }) => [name, value.data.length]));

const deep = ['c2', 'c3', 'c4', 'c5'];
describe.each([
  ['resnet20', 'bnn', 16, ['c0', 'c1', 'c2']],
  ['resnet18', 'bi-real', 16, ['c0', 'c1', 'c2', 'c3']],
  ['resnet18-imagenet', 'ir-net', 70, deep],
  ['resnet50-imagenet', 'bnn', 64, deep],
  ['resnet18-imagenet', 'group-net', 64, deep],
  ['resnet18-imagenet', 'group-net-bpac', 64, deep],
  ['vgg-small', 'bnn', 16, ['c0', 'c1', 'c2', 'c3']],
  ['vgg16', 'bnn', 64, ['c0', 'c1', ...deep]],
  ['alexnet', 'xnor-net', 96, ['c3', 'c4', 'c5']],
  ['darknet19', 'bnn', 64, ['c1', ...deep]],
  ['binary-densenet28', 'bnn', 64, deep],
  ['meliusnet22', 'bnn', 64, deep],
  ['bnext-tiny', 'bnn', 64, ['c1', ...deep]],
  ['react-net-a', 'react-net', 64, ['c1', ...deep]],
  ['quicknet-small', 'bnn', 64, deep],
])('%s of %s at %i pixels', (model, method, side, expected) => {
  test('has taps of these scales and sizes, on layers that are called as under the classifier', () => {
    let taps!: Taps;
    const network = small(
      model,
      method,
      side,
      probe(
        (all) => all.names,
        (all) => (taps = all),
      ),
    );
    expect(taps.names).toEqual(expected);
    network.setTraining(false);
    inference(() => {
      const outputs = network.outputs(images(side), { outputs: ['answer'] });
      for (const name of taps.names) {
        const { channels, size, stride } = taps.take(name)[name]!;
        expect([name, outputs[name]!.shape]).toEqual([name, [2, ...size, channels]]);
        expect(stride).toBe(2 ** Number(name.slice(1)));
        // a scale is that of the image, but for what windows cut off at borders
        expect(Math.abs(size[0] - side / stride)).toBeLessThanOrEqual(model === 'alexnet' || side % 32 ? 3 : 1);
      }
    });
    const [under, classified] = [named(network), named(small(model, method, side))];
    const shared = [...under].filter(([name]) => !name.startsWith('body.head.'));
    expect(shared.length).toBeGreaterThan(6);
    for (const [name, length] of shared) expect([name, classified.get(name)]).toEqual([name, length]);
  });

  test('a tap is what the layers up to it compute, one after the other', () => {
    const network = small(
      model,
      method,
      side,
      probe((all) => [all.names.at(-2)!]),
    );
    network.setTraining(false);
    inference(() => {
      const outputs = network.outputs(images(side), { outputs: ['answer'] });
      const [name, tapped] = Object.entries(outputs).at(-1)!;
      const layers = (network.body as unknown as Sequential).layers;
      let [x, found] = [images(side), false];
      for (const layer of layers) {
        if (layer instanceof BranchedStack) found ||= layer.steps(x).some(({ data }) => sameValues(data, tapped.data));
        x = layer.forward(x);
      }
      // what lies behind the last tap is not even built, where layers are not joined
      expect([name, found || sameValues(x.data, tapped.data)]).toEqual([name, true]);
    });
  });
});

const sameValues = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

test('the classifier is a head like others, and files of its networks do not name it', () => {
  const [usual, named] = [small('resnet20', 'bnn', 16), small('resnet20', 'bnn', 16, classifier as unknown as Head)];
  expect(named.config).toEqual(usual.config);
  expect(usual.config.head).toBeUndefined();
  expect(named.parameters().map(({ name }) => name)).toEqual(usual.parameters().map(({ name }) => name));
  expect(() =>
    buildNetwork(modelNamed('resnet20'), methodNamed('bnn'), { ...usual.config, head: undefined, classes: 1 }),
  ).toThrow('a classifier needs at least two classes, got 1');
});

test('a network names its head with all settings, by which files build it again; without the head at hand they say so', () => {
  const head = { ...probe(() => ['c1']), settings: { widths: [8, 8], share: 0.5 } };
  const options = { inputShape: [16, 16, 3] as const, classes: 3, width: 0.125, seed: 1 };
  const built = buildNetwork(modelNamed('resnet20'), methodNamed('bnn'), {
    ...options,
    head,
    headSettings: { share: 0.25 },
  });
  expect(built.config.head).toEqual({ id: 'probe', settings: { widths: [8, 8], share: 0.25 } });
  const again = buildNetwork(built.config, undefined, { heads: [head] });
  expect(again.config).toEqual(built.config);
  expect(named(again)).toEqual(named(built));
  expect(() => buildNetwork(built.config)).toThrow('the network ends with the head "probe", which is not at hand');
  expect(() => headSettings(head, { width: 3 })).toThrow(
    'the head "probe" has no setting "width"; it has widths, share',
  );
  expect(() => headSettings(head, { share: '3' })).toThrow('share is "3", expected a number such as 0.5');
});

test('a head that needs other maps is refused by name', () => {
  expect(() =>
    small(
      'resnet20',
      'bnn',
      16,
      probe(() => ['c5']),
    ),
  ).toThrow('the head builds on c5, and resnet20 has c0, c1, c2; take another --model');
  expect(() =>
    small(
      'sfc',
      'bnn',
      16,
      probe(() => ['c2']),
    ),
  ).toThrow('sfc has no maps that lie on the grid');
});

test('a head that takes maps and gives layers, which would not get them, is refused', () => {
  const head = defineHead({
    ...probe(() => ['c1']),
    build: (taps) => {
      taps.take('c1');
      return taps.vector(3);
    },
  });
  expect(() => small('resnet20', 'bnn', 16, head)).toThrow('the head took c1 and gives layers');
});
