import { describe, expect, test } from 'vitest';
import { BranchedStack } from '../models/branches.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { Module, Parameter } from '../nn/module.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { channelScale } from '../tensor/ops/channel.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Bench, rounded } from './equations.testing.ts';
import { groupNet, groupNetLayerwise } from './group-net.ts';
import { mainSubsidiary, turnAt } from './main-subsidiary.ts';

describe('Group-Net (survey [122])', () => {
  test('a convolution is a learned sum of the signs of its own latent weights', () => {
    const bench = new Bench(groupNetLayerwise, [[0], [0]]);
    // two inputs, one output, four bases
    bench.layer.weight.data.set([0.5, -0.2, 0.3, 0.1, -1, 0.4, 2, -0.6]);
    expect(bench.effective()).toEqual([0.5, 0]);
    const { weight, lambda } = bench.weightGradients([1, 2]);
    expect(weight).toEqual([0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0.5]);
    expect(lambda).toEqual([-1, 1, 3, -1]);
  });

  class Gain extends Module {
    readonly gain: Parameter;
    constructor(value: number) {
      super();
      this.gain = new Parameter(Float32Array.of(value, value), [2], 'scale');
    }
    override forward(x: Tensor): Tensor {
      return channelScale(x, this.gain);
    }
  }

  test('P: K equal branches are one block; gates mix the sum and the own output', () => {
    const x = new Tensor(Float32Array.of(1, -2), [1, 1, 1, 2]);
    const equal = new BranchedStack([() => new Gain(3), () => new Gain(2)], { count: 4, gated: false });
    expect([...inference(() => equal.forward(x)).data]).toEqual([6, -12]);
    // two branches of gains 1 and 3: sum 2x; with theta = +-ln 3 they go on with 3/4 and 1/4 of their own outputs
    const gains = [1, 3, 1, 1];
    const gated = new BranchedStack([() => new Gain(gains.shift()!), () => new Gain(gains.shift()!)], {
      count: 2,
      gated: true,
    });
    gated.groups[0]!.gates[0]!.data[0] = Math.log(3);
    gated.groups[0]!.gates[1]!.data[0] = -Math.log(3);
    // (3/4 * 1 + 1/4 * 2 + 1/4 * 3 + 3/4 * 2) / 2 = 1.75
    for (const training of [true, false]) {
      gated.setTraining(training);
      expect(inference(() => gated.forward(x)).data[0]).toBeCloseTo(1.75, 6);
    }
  });

  test('every block of a network becomes a group, for any topology', () => {
    for (const [model, groups] of [
      ['resnet20', 9],
      ['vgg-small', 5],
      ['sfc', 4],
    ] as const) {
      const network = buildNetwork({
        model,
        method: groupNet.id,
        inputShape: [8, 8, 3],
        classes: 3,
        width: 0.1,
        seed: 1,
      });
      const stack = network.modules().find(({ value }) => value instanceof BranchedStack)!.value as BranchedStack;
      expect(stack.groups).toHaveLength(groups);
      const plain = buildNetwork({ model, method: 'bi-real', inputShape: [8, 8, 3], classes: 3, width: 0.1, seed: 1 });
      const binary = (of: typeof plain) => of.modules().filter(({ value }) => value instanceof BinaryConv2d).length;
      expect(binary(network)).toBe(4 * binary(plain));
    }
  });

  test('BPAC: each of five branches has its own dilation, 2 to 6 in stage 3 and 6 to 10 in stage 4; a policy keeps them', () => {
    const config = { inputShape: [8, 8, 3], classes: 3, width: 0.05, seed: 1, method: 'group-net-bpac' } as const;
    // layers of one branch, stage by stage, as [dilation, pad]
    const stages = (model: string, policy?: Record<string, string>) => {
      const network = buildNetwork({ ...config, model, policy });
      const { groups } = network.modules().find(({ value }) => value instanceof BranchedStack)!.value as BranchedStack;
      return groups.map(({ branches }) =>
        branches.map((branch) =>
          branch
            .modules()
            .flatMap(({ value }) => (value instanceof BinaryConv2d ? [value.options] : []))
            .map(({ dilation = 1, pad }) => [dilation, pad]),
        ),
      );
    };
    const at = (first: number) => [0, 1, 2, 3, 4].map((i) => Array(2).fill([first + i, first + i]));
    const ones = Array(5).fill(Array(2).fill([1, 1]));
    const twice = <T>(value: T): T[] => [value, value];
    expect(stages('resnet18')).toEqual([...twice(ones), ...twice(ones), ...twice(at(2)), ...twice(at(6))]);
    expect(stages('resnet20')[8]).toEqual(at(2));
    expect(stages('resnet20', { '*': '2-bit' })[8]).toEqual(at(2));
  });

  test('the form of before, of which there are runs, is the sum of one filter at two dilations', () => {
    const network = buildNetwork({
      model: 'resnet20',
      method: 'group-net-bpac',
      revision: 1,
      inputShape: [8, 8, 3],
      classes: 3,
      width: 0.25,
      seed: 1,
    });
    const layer = network.modules().find(({ value }) => value instanceof BinaryConv2d)!.value as BinaryConv2d;
    const x = randomTensor([2, 8, 8, 4], 3);
    const signs = new Tensor(
      x.data.map((v) => (v < 0 ? -1 : 1)),
      x.shape,
    );
    const w = layer.weight;
    const alpha = Array.from(
      { length: w.channels },
      (_, c) => w.data.reduce((s, v, i) => (i % w.channels === c ? s + Math.abs(v) : s), 0) / w.rows,
    );
    const filter = new Tensor(
      w.data.map((v, i) => (v < 0 ? -1 : 1) * alpha[i % w.channels]!),
      w.shape,
    );
    const expected = inference(() => [
      ...add(conv2d(signs, filter, { pad: 1 }), conv2d(signs, filter, { pad: 2, dilation: 2 })).data,
    ]);
    const got = inference(() => [...layer.forward(x).data]);
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 4);
  });
});

describe('Main/Subsidiary (survey [87])', () => {
  const pruned = (pruning: 0 | 1) => {
    const bench = new Bench(mainSubsidiary, [
      [0.6, 0.9],
      [-0.4, -0.5],
    ]);
    bench.layer.learned['mask']!.data.set([0.2, -0.1]);
    bench.layer.kept['pruning']!.data[0] = pruning;
    return bench;
  };

  test('once its layer is pruned, a filter of negative mask is identically zero (the example of the notes)', () => {
    // centred: .6 -.4 -> .5 -.5 and .9 -.5 -> .7 -.7
    expect(rounded(pruned(0).effective())).toEqual([0.5, 0.7, -0.5, -0.7]);
    expect(rounded(pruned(1).effective())).toEqual([0.5, 0, -0.5, 0]);
  });

  test('a mask learns from what its filter would give; a pruned filter learns nothing', () => {
    const { weight, mask } = pruned(1).weightGradients([1, 1, 0, 0]);
    // alpha_c sum(g sign w) / 2
    expect(rounded(mask!)).toEqual([0.25, 0.35]);
    expect(rounded(weight!).filter((_, i) => i % 2 === 1)).toEqual([0, 0]);
    expect(rounded(pruned(0).weightGradients([1, 1, 0, 0])['mask']!)).toEqual([0, 0]);
  });

  test('turns: layer by layer, first its mask, then the weights', () => {
    expect(turnAt(0.49, 3)).toBeNull();
    const turns = [0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1].map((p) => turnAt(p, 3)!);
    expect(turns.map(({ layer }) => layer)).toEqual([0, 0, 1, 1, 2, 2, 2]);
    expect(turns.map(({ subsidiary }) => subsidiary)).toEqual([true, false, true, false, true, false, false]);
  });

  test('P: in a subsidiary turn weights are frozen and only the mask of the turn moves, in a main turn the other way round', () => {
    const benches = [pruned(0), pruned(0)];
    const layers = benches.map(({ layer }) => layer);
    const movingAt = (progress: number) => {
      for (const layer of layers) {
        layer.weight.grad = new Float32Array(4).fill(1);
        layer.learned['mask']!.grad = new Float32Array(2).fill(1);
      }
      mainSubsidiary.update!.beforeStep!(layers, { progress, epoch: 0, rate: 1, step: 1 });
      const moving = layers.map(({ weight, learned }) => [weight.grad !== null, learned['mask']!.grad !== null]);
      for (const layer of layers) layer.weight.grad = layer.learned['mask']!.grad = null;
      return moving;
    };
    expect(movingAt(0.2)).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(movingAt(0.5)).toEqual([
      [false, true],
      [false, false],
    ]);
    expect(layers.map(({ kept }) => kept['pruning']!.data[0])).toEqual([1, 0]);
    expect(movingAt(0.65)).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(movingAt(0.8)).toEqual([
      [false, false],
      [false, true],
    ]);
  });

  test('the loss counts the filters that are kept in the layers that are pruned', () => {
    const { layer } = pruned(1);
    const view = { layers: [{ layer, input: layer.weight, filter: layer.weight }] } as never;
    expect(inference(() => mainSubsidiary.lossTerms![0]!(view).data[0]! / 1e-8)).toBeCloseTo(1, 5);
  });
});
