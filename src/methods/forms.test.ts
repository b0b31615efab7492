import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../models/table.ts';
import { type LayerProbe, withProbe } from '../nn/binary-layer.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { effectiveActivations, effectiveWeights } from '../nn/product.ts';
import { pack } from '../pack/pack.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { withBases, withBits } from './forms.ts';
import { methodNamed, methods } from './table.ts';

const shape = [8, 8, 3] as const;
const images = (count: number, gain = 1) => {
  const { data } = randomTensor([count, ...shape], 7);
  return new Tensor(
    data.map((value) => value * gain),
    [count, ...shape],
  );
};

const networkOf = (method: string) => {
  const network = buildNetwork({ model: 'resnet20', method, inputShape: shape, classes: 3, width: 0.25, seed: 1 });
  network.setPointToEnd();
  return network;
};

/** What the first binary layer saw and used. */
function firstLayer(method: string, gain = 1): LayerProbe {
  const probes: LayerProbe[] = [];
  const network = networkOf(method);
  network.setTraining(false);
  inference(() =>
    withProbe(
      (probe) => probes.push(probe),
      () => network.forward(images(2, gain)),
    ),
  );
  return probes[0]!;
}

const different = (values: ArrayLike<number>) => new Set(Array.from(values, (value) => value.toFixed(5))).size;

describe('bits that have no row of their own', () => {
  test('every row that has other forms is one of them, and their names find them again', () => {
    for (const method of methods) {
      const { bits, widths, bases } = method;
      if (widths) expect(widths.make(bits).id).toBe(method.id);
      for (const activation of [widths?.activation.from, widths?.activation.to]) {
        if (activation === undefined) continue;
        const form = withBits(method, { weight: widths!.weight.from, activation });
        expect(form.bits).toEqual({ weight: widths!.weight.from, activation });
        expect(methodNamed(form.id).title).toBe(form.title);
      }
      if (bases) {
        const form = withBases(method, 3);
        expect(methodNamed(form.id).title).toBe(form.title);
        expect(form.id).toBe(`${method.id}-k3`);
      }
    }
    expect(methods.filter(({ widths, bases }) => widths ?? bases).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['dorefa', 'horq', 'abc-net', 'lq-nets', 'pact', 'hwgq', 'bcgd', 'wrpn-2x', 'group-net']),
    );
  });

  test.each([
    ['dorefa-w1a3', 8],
    ['pact-w1a3', 8],
    ['wrpn-2x-w1a3', 8],
    ['bcgd-w1a3', 8],
    ['hwgq-w1a3', 8],
    ['lq-nets-w1a3', 8],
  ])('%s: activations have at most %d levels, and more than with a bit less', (id, levels) => {
    // PACT's first clip is far out
    const { activation } = firstLayer(id, id.startsWith('pact') ? 12 : 1);
    const found = inference(() => different(effectiveActivations(activation)));
    expect(found).toBeLessThanOrEqual(levels);
    expect(found).toBeGreaterThan(levels / 2);
  });

  test('weights: 2^k levels of a filter in DoReFa and LQ-Nets; as many terms as bases in ABC-Net and Group-Net', () => {
    const levelsOf = (id: string) => {
      const { filter, layer } = firstLayer(id);
      const w = inference(() => effectiveWeights(filter));
      const outputs = layer.options.outChannels;
      return different(w.filter((_, i) => i % outputs === 0));
    };
    expect(levelsOf('dorefa-w3a3')).toBeGreaterThan(4);
    expect(levelsOf('dorefa-w3a3')).toBeLessThanOrEqual(8);
    expect(levelsOf('lq-nets-w3a3')).toBeGreaterThan(4);
    expect(levelsOf('lq-nets-w3a3')).toBeLessThanOrEqual(8);
    const terms = (id: string) => {
      const { filter, activation } = firstLayer(id);
      return [(filter as { filters: unknown[] }).filters.length, (activation as { terms?: unknown[] }).terms?.length];
    };
    expect(terms('abc-net-5x4')).toEqual([5, 4]);
    expect(terms('group-net-layerwise-k6')).toEqual([6, undefined]);
    const layers = (id: string) =>
      networkOf(id)
        .modules()
        .filter(({ value }) => value instanceof BinaryConv2d).length;
    expect(layers('group-net-k6')).toBe(6 * layers('bi-real'));
    expect(layers('group-net-bpac-k3')).toBe(3 * layers('bi-real'));
  });

  test('HORQ: each order takes the residual of those before, x ~ sum beta_i sign(R_i-1)', () => {
    const { activation, input } = firstLayer('horq-w1a4');
    const got = inference(() => effectiveActivations(activation));
    const each = input.size / 2;
    for (let image = 0; image < 2; image++) {
      let residual = Array.from(input.data.subarray(image * each, (image + 1) * each));
      const sum = residual.map(() => 0);
      for (let order = 0; order < 4; order++) {
        const beta = residual.reduce((total, value) => total + Math.abs(value), 0) / each;
        residual = residual.map((value, i) => {
          const part = value < 0 ? -beta : beta;
          sum[i]! += part;
          return value - part;
        });
      }
      sum.forEach((value, i) => {
        expect(got[image * each + i]).toBeCloseTo(value, 4);
      });
    }
  });

  test('HWGQ: the step of every width is the best for the positive half of N(0,1)', () => {
    const error = (step: number, levels: number) => {
      let total = 0;
      for (let x = 0.0005; x < 8; x += 0.001) {
        const level = Math.min(levels, Math.max(1, Math.floor(x / step + 0.5)));
        total += (x - level * step) ** 2 * Math.exp((-x * x) / 2);
      }
      return total;
    };
    for (const bits of [1, 2, 3, 4]) {
      const { activation } = firstLayer(bits === 2 ? 'hwgq' : `hwgq-w1a${bits}`);
      const { step } = activation as { step: number };
      const levels = 2 ** bits - 1;
      expect(error(step, levels)).toBeLessThan(error(step * 1.01, levels));
      expect(error(step, levels)).toBeLessThan(error(step * 0.99, levels));
    }
  });

  test.each([
    'dorefa-w1a3',
    'pact-w1a8',
    'bcgd-w1a8',
    'hwgq-w1a4',
    'lq-nets-w3a3',
    'abc-net-5x5',
    'horq-w1a3',
    'group-net-k5',
  ])('%s packs, bit for bit', (id) => {
    const method = methodNamed(id);
    const labels = { classes: ['a', 'b', 'c'], mean: [0, 0, 0], std: [1, 1, 1] };
    const { model } = pack(networkOf(id), images(3), {
      ...labels,
      ...(method.floatPacked ? { allowFloat: 'all' as const } : {}),
    });
    expect(model.run(images(1).data)).toHaveLength(3);
  });

  test('what a method cannot have is refused, with what it can', () => {
    expect(() => withBits(methodNamed('pact'), { weight: 2, activation: 3 })).toThrow(
      '--bits 2/3 does not go with method "pact", which is defined for weights 1, activations 2 to 8',
    );
    expect(() => withBits(methodNamed('ir-net'), { weight: 1, activation: 3 })).toThrow('is defined for 1/1 only');
    expect(withBits(methodNamed('ir-net'), { weight: 1, activation: 1 }).id).toBe('ir-net');
    expect(() => withBases(methodNamed('bnn'), 3)).toThrow('is no sum of branches');
    expect(() => withBases(methodNamed('group-net'), 40)).toThrow('takes 1 to 16');
    expect(() => methodNamed('dorefa-w1a9')).toThrow('activations 1 to 8 or 32 (float)');
    expect(() => methodNamed('guided-w1a2')).toThrow('unknown method');
  });
});
