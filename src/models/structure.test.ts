import { expect, test } from 'vitest';
import { randomRotation } from '../binarize/rotation.ts';
import { Random } from '../core/random.ts';
import { methodNamed, methods } from '../methods/table.ts';
import { BatchNorm } from '../nn/batch-norm.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { ChannelGain, PRelu, TwoSlopes } from '../nn/layers.ts';
import type { Module, Sequential } from '../nn/module.ts';
import { pack } from '../pack/pack.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';
import { buildNetwork, modelNamed } from './table.ts';

const base = { model: 'resnet20', inputShape: [8, 8, 3] as [number, number, number], classes: 3, width: 0.5, seed: 1 };
const built = (method: string, rest: Partial<Parameters<typeof buildNetwork>[0]> = {}): Network =>
  buildNetwork({ ...base, method, ...rest });

function normal(shape: readonly number[], seed: number): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  new Random(seed).fillNormal(data, 0, 1);
  return new Tensor(data, [...shape]);
}

const layers = (network: Network) => (network.body as Sequential).layers;
/** Of the block that halves the maps for the first time. */
const firstShortcut = (network: Network) => (layers(network)[4] as Module & { shortcut: Module }).shortcut;

test.each(['recu', 'biper', 'ovsw'])(
  "%s's shortcut: AvgPool2d(2), then as many zero channels before as after",
  (method) => {
    const x = normal([2, 4, 6, 8], 2);
    const y = inference(() => firstShortcut(built(method)).forward(x));
    expect(y.shape).toEqual([2, 2, 3, 16]);
    for (let n = 0; n < 2; n++)
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 3; j++)
          for (let c = 0; c < 16; c++) {
            const at = (di: number, dj: number) => x.data[((n * 4 + 2 * i + di) * 6 + 2 * j + dj) * 8 + c - 4]!;
            const mean = c < 4 || c >= 12 ? 0 : (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
            expect(y.data[((n * 2 + i) * 3 + j) * 16 + c]).toBeCloseTo(mean, 6);
          }
  },
);

test('others take every second pixel, unless --downsample says otherwise; models without such a shortcut refuse', () => {
  const x = normal([1, 4, 4, 8], 3);
  const first = (network: Network) => inference(() => firstShortcut(network).forward(x).data[4]!);
  expect(first(built('ir-net'))).toBe(x.data[0]);
  const mean = (x.data[0]! + x.data[8]! + x.data[32]! + x.data[40]!) / 4;
  expect(first(built('ir-net', { tricks: { downsample: 'average' } }))).toBeCloseTo(mean, 6);
  expect(first(built('recu', { tricks: { downsample: 'strided' } }))).toBe(x.data[0]);
  expect(() => built('recu', { model: 'resnet18', tricks: { downsample: 'average' } })).toThrow(
    /--downsample: resnet18/,
  );
});

test("the stem's activation is the reference's: Maxout in AdaBin, ReLU in SiMaN, PReLU on its VGG, hardtanh in IR-Net's family", () => {
  const stemOf = (network: Network) => layers(network)[0] as Module & { slope: Module | null };
  const range = (network: Network) => {
    const y = inference(() => stemOf(network).forward(normal([4, 8, 8, 3], 4)));
    return [Math.min(...y.data), Math.max(...y.data)] as const;
  };
  expect(stemOf(built('ada-bin')).slope).toBeInstanceOf(TwoSlopes);
  const maxout = stemOf(built('ada-bin', { revision: 2 })).slope as Sequential;
  expect(maxout.layers[0]).toBeInstanceOf(PRelu);
  expect(maxout.layers[1]).toBeInstanceOf(ChannelGain);
  expect(range(built('siman'))[0]).toBe(0);
  expect(range(built('siman'))[1]).toBeGreaterThan(1);
  expect(stemOf(built('siman', { model: 'vgg-small', width: 0.1 })).slope).toBeInstanceOf(PRelu);
  for (const id of ['ir-net', 'recu', 'biper']) expect(range(built(id)), id).toEqual([-1, 1]);
  expect(range(built('ir-net', { tricks: { stem: 'relu' } }))[0]).toBe(0);
  expect(() => built('ir-net', { model: 'sfc', tricks: { stem: 'relu' } })).toThrow(/--stem: .*sfc/);
});

test('Real-to-Binary adds its shortcut after the PReLU, others before', () => {
  for (const [id, after] of [
    ['real-to-binary', true],
    ['siman', false],
  ] as const) {
    const network = built(id);
    network.setTraining(false);
    const block = layers(network)[1] as Module & { first: Module & { apply(x: Tensor, s?: Tensor): Tensor } };
    const [x, shortcut] = [normal([1, 4, 4, 8], 5), normal([1, 4, 4, 8], 6)];
    inference(() => {
      const branch = block.first.apply(x);
      const sum = block.first.apply(x, shortcut);
      const differences = sum.data.map((value, i) => Math.abs(value - (branch.data[i]! + shortcut.data[i]!)));
      expect(Math.max(...differences) < 1e-6, id).toBe(after);
    });
  }
});

test("RBNN's factors start at 1e-8 on CIFAR's ResNets, the head's at 1; on VGG all at 1", () => {
  const factors = (network: Network) =>
    network.modules().flatMap(({ value }) => (value instanceof BatchNorm ? [value.gamma.data[0]!] : []));
  const resnet = factors(built('rbnn'));
  expect(resnet.slice(0, -1).every((gamma) => gamma === Math.fround(1e-8))).toBe(true);
  expect(resnet.at(-1)).toBe(1);
  expect(new Set(factors(built('rbnn', { model: 'vgg-small', width: 0.1 })))).toEqual(new Set([1]));
});

test("RBNN's rotations start as orthogonal matrices drawn at random", () => {
  for (const size of [1, 2, 12, 24]) {
    const r = randomRotation(size, new Random(size));
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        let dot = 0;
        for (let k = 0; k < size; k++) dot += r[k * size + i]! * r[k * size + j]!;
        expect(dot).toBeCloseTo(Number(i === j), 5);
      }
  }
  const { value } = built('rbnn')
    .modules()
    .find(({ value: module }) => module instanceof BinaryConv2d)!;
  const { rotation1 } = (value as BinaryConv2d).kept;
  const size = Math.sqrt(rotation1!.data.length);
  expect(rotation1!.data.filter((entry) => Math.abs(entry) > 1e-3).length).toBeGreaterThan(size);
});

test('all of it packs bit for bit', () => {
  const options = { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] };
  for (const id of ['recu', 'biper', 'siman', 'ada-bin', 'rbnn', 'real-to-binary']) {
    const network = built(id);
    inference(() => network.forward(normal([8, 8, 8, 3], 7)));
    network.setPointToEnd();
    expect(() => pack(network, normal([4, 8, 8, 3], 8), options), id).not.toThrow();
  }
});

test('every recipe for a single model is for one that there is', () => {
  for (const { id, recipes = {} } of methods)
    for (const model of Object.keys(recipes)) {
      const side = Math.max(8, modelNamed(model).smallestSide);
      expect(() => built(id, { model, inputShape: [side, side, 3] }), `${id}: ${model}`).not.toThrow();
    }
});

// htqin/IR-Net CIFAR-10/VGG-Small/main.py; microsoft/LQ-Nets cifar10-vgg-small.py
test('recipes of single models are those of the code: IR-Net and LQ-Nets on VGG-Small', () => {
  const small = { model: 'vgg-small', width: 0.1 };
  const ir = built('ir-net', small).method;
  expect(ir.defaults).toMatchObject({ epochs: 300, batch: 128, optimizer: { rate: 0.007, weightDecay: 1e-4 } });
  expect(ir.schedule!({ progress: 0, epoch: 0 })['t']).toBeCloseTo(0.1, 9);
  expect(built('ir-net').method.schedule!({ progress: 0, epoch: 0 })['t']).toBeCloseTo(0.001, 9);
  const lq = built('lq-nets', small).method.defaults;
  expect(lq).toMatchObject({ epochs: 400, batch: 100, optimizer: { rate: 0.02, weightDecay: 5e-4 } });
  const rates = [79, 80, 159, 160, 299, 300].map((epoch) => 0.02 * lq.rate({ epoch, progress: epoch / 400 }));
  for (const [i, rate] of [0.02, 0.002, 0.002, 0.0002, 0.0002, 0.00002].entries())
    expect(rates[i]).toBeCloseTo(rate, 9);
  expect(methodNamed('lq-nets').defaults).toMatchObject({ epochs: 200, batch: 128 });
});
