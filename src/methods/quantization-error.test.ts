import { describe, expect, test } from 'vitest';
import { signActivation } from '../binarize/activations.ts';
import { BinarizeContext } from '../binarize/context.ts';
import { clippedSte } from '../binarize/estimators.ts';
import { leastSquares } from '../binarize/least-squares.ts';
import { sampleNormalise } from '../binarize/sample-norm.ts';
import type { ActivationSum } from '../binarize/terms.ts';
import { Random } from '../core/random.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { effectiveWeights } from '../nn/product.ts';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { positionShift } from '../tensor/ops/position.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { abcNetOf, weightBases } from './abc-net.ts';
import { adaBin } from './ada-bin.ts';
import { bbg } from './bbg.ts';
import { elbnn, projectBinary } from './elbnn.ts';
import { Bench, gradientsOf, pixel, rounded } from './equations.testing.ts';
import { highOrderSigns } from './horq.ts';
import { levelsOf, lqNet, refineBasis } from './lq-nets.ts';
import { pactNet } from './pact.ts';
import { activationSlope, rbnn, rotated } from './rbnn.ts';
import { laplaceQuantile, recu } from './recu.ts';
import { subgroupScales } from './syq.ts';
import { methodNamed } from './table.ts';
import { trainedScaling } from './trained-scaling.ts';
import { xnorNetPlusPlus, xnorNetPlusPlusForms } from './xnor-net-plus-plus.ts';

const networkOf = (method: string, model = 'vgg-small') =>
  buildNetwork({ model, method, inputShape: [16, 16, 3], classes: 4, width: 0.25, seed: 1 });
const learnedSizes = (method: string) =>
  Object.fromEntries(
    networkOf(method)
      .parameters()
      .filter(({ name }) => /layers\.2\.conv\.learned/.test(name))
      .map(({ name, value }) => [name.split('.').at(-1)!, value.size]),
  );

describe('XNOR-Net++ (survey [76])', () => {
  test('forward: alpha sign(w) with alpha = mean|w| at first; backward: alpha g inside the clip, dL/dalpha = sum g sign(w)', () => {
    const bench = new Bench(xnorNetPlusPlus, [[0.5], [-0.25], [1.5], [-0.75]]);
    expect(bench.effective()).toEqual([0.75, -0.75, 0.75, -0.75]);
    const { weight, weightScale } = bench.weightGradients([1, 2, 3, 4]);
    expect(weight).toEqual([0.75, 1.5, 0, 3]);
    expect(weightScale).toEqual([1 - 2 + 3 - 4]);
  });

  test('P: the four forms learn c, h*w*c, c + h*w and c + h + w numbers (16 channels... 64 on 8x8 pixels)', () => {
    expect(learnedSizes('xnor-net-pp')).toEqual({ weightScale: 64, beta: 8, gamma: 8 });
    expect(learnedSizes('xnor-net-pp-channel')).toEqual({ weightScale: 64 });
    expect(learnedSizes('xnor-net-pp-dense')).toEqual({ beta: 8 * 8 * 64 });
    expect(learnedSizes('xnor-net-pp-plane')).toEqual({ weightScale: 64, beta: 64 });
    expect(xnorNetPlusPlusForms).toHaveLength(3);
  });
});

describe('BBG (survey [78])', () => {
  test('forward: mean|w - mean| sign(w - mean); backward: alpha g, centred again', () => {
    const bench = new Bench(bbg, [[0.5], [0.1], [0.9], [0.5]]);
    expect(rounded(bench.effective())).toEqual([0.2, -0.2, 0.2, 0.2]);
    expect(bench.weightGradients([1, 2, 3, 4])['weight']).toEqual(rounded([1, 2, 3, 4].map((g) => 0.2 * (g - 2.5))));
  });

  test('P: about half of the bits are +1 whatever the mean of the latent weights', () => {
    const weights = randomTensor([1, 1, 400, 1], 3).data.map((v) => v + 3);
    const positive = new Bench(
      bbg,
      [...weights].map((w) => [w]),
    )
      .effective()
      .filter((b) => b > 0).length;
    expect(Math.abs(positive / 400 - 0.5)).toBeLessThan(0.05);
  });

  test('every shortcut has a learned gain, 1 at first', () => {
    const gains = networkOf('bbg', 'resnet20')
      .parameters()
      .filter(({ name }) => name.endsWith('gate.gain'));
    expect(gains).toHaveLength(18);
    for (const { value } of gains) expect(new Set(value.data)).toEqual(new Set([1]));
  });
});

describe('trained scaling factors (survey [97])', () => {
  test('one alpha and one beta a layer: alpha sign(w), dL/dalpha = sum over the layer of g sign(w)', () => {
    const bench = new Bench(trainedScaling, [
      [0.5, -1],
      [-0.5, 2],
    ]);
    expect(bench.effective()).toEqual([1, -1, -1, 1]);
    expect(bench.weightGradients([1, 2, 3, 4])['weightScale']).toEqual([1 - 2 - 3 + 4]);
    // alpha g where |w| <= 1
    expect(bench.weightGradients([1, 2, 3, 4])['weight']).toEqual([1, 2, 3, 0]);
    expect(bench.layer.learned['activationScale']!.size).toBe(1);
  });
});

describe('HORQ (survey [70])', () => {
  const context = new BinarizeContext(1);

  test('forward: beta_1 = mean|x|, beta_2 = mean|x - beta_1 sign x|, of each image', () => {
    const { terms } = inference(() => {
      const sum = highOrderSigns(2)(randomTensor([2, 1, 1, 4], 1), context);
      return { terms: sum.terms.map(({ bits, scale }) => ({ bits: [...bits.data], scale: [...scale!.data] })) };
    });
    const x = randomTensor([2, 1, 1, 4], 1).data;
    for (const n of [0, 1]) {
      const image = [...x.subarray(4 * n, 4 * n + 4)];
      const meanAbs = (values: number[]) => values.reduce((sum, v) => sum + Math.abs(v), 0) / 4;
      const first = meanAbs(image);
      const rest = image.map((v) => v - first * (v < 0 ? -1 : 1));
      expect(terms[0]!.scale[n]).toBeCloseTo(first, 5);
      expect(terms[1]!.scale[n]).toBeCloseTo(meanAbs(rest), 5);
      expect(terms[1]!.bits.slice(4 * n, 4 * n + 4)).toEqual(rest.map((v) => (v < 0 ? -1 : 1)));
    }
  });

  test('P: what is left over falls strictly from order to order', () => {
    const x = randomTensor([1, 6, 6, 8], 7);
    const left = [1, 2, 3, 4].map((order) =>
      inference(() => {
        const rest = x.data.slice();
        for (const { bits, scale } of highOrderSigns(order)(x, context).terms)
          bits.data.forEach((b, i) => {
            rest[i] = rest[i]! - scale!.data[0]! * b;
          });
        return Math.hypot(...rest);
      }),
    );
    for (let i = 1; i < left.length; i++) expect(left[i]).toBeLessThan(left[i - 1]!);
    expect(left[0]).toBeLessThan(Math.hypot(...x.data));
  });
});

describe('ReCU', () => {
  const example = [[0.3], [-0.1], [0.8], [0.6], [-0.2], [0.1]];

  test('tau runs from 0.85 to 0.99 exponentially; the Laplace quantile of the notes', () => {
    const taus = [0, 0.5, 1].map((progress) => recu.schedule!({ progress, epoch: 0 })['tau']!);
    expect(rounded(taus, 6)).toEqual([0.85, 0.902856, 0.99]);
    const w = { data: Float32Array.of(2.274927), size: 1 } as Tensor;
    expect(laplaceQuantile(w, 0.85)).toBeCloseTo(2.73895, 4);
    expect(laplaceQuantile(w, 0.99)).toBeCloseTo(8.899567, 4);
  });

  test('forward: alpha sign(w - mean); backward: no gradient from beyond the quantile', () => {
    const bench = new Bench(recu, example, { tau: 0.85 });
    const alpha = bench.layer.learned['weightScale']!.data[0]!;
    expect(alpha).toBeGreaterThan(0);
    expect(rounded(bench.effective().map((v) => v / alpha))).toEqual([1, -1, 1, 1, -1, -1]);
    // the largest weight, 2 sqrt 2 * 1.53, lies beyond Q = 2.74: alone it gives nothing back
    expect(bench.weightGradients([0, 0, 1, 0, 0, 0])['weight']).toEqual([0, 0, 0, 0, 0, 0]);
    expect(bench.weightGradients([1, 0, 0, 0, 0, 0])['weight']![0]).not.toBe(0);
  });

  test('activations are divided by their spread for the gradient only: the exact derivative, and no sign changes', () => {
    for (const centred of [false, true])
      checkGradients((x) => sampleNormalise(x, centred), [randomTensor([2, 2, 3, 4], 5)], 1e-3);
    const x = randomTensor([2, 3, 3, 8], 9);
    const context = new BinarizeContext(1);
    const plain = inference(() => [...signActivation(x, clippedSte, context).data]);
    expect(inference(() => [...(recu.activation(x, context) as Tensor).data])).toEqual(plain);
  });
});

describe('PACT (survey [74])', () => {
  test('levels alpha q/(2^k-1); gradients 1[0 <= x <= alpha] and 1[x >= alpha]', () => {
    const bench = new Bench(pactNet(2), [[1], [1], [1], [1], [1]]);
    expect(bench.activated([-1, 0.4, 0.6, 2.4, 9])).toEqual([0, 0, 1, 2, 3]);
    const { x, clip } = bench.activationSlopes([-1, 0, 0.6, 3.1, 9]);
    expect([x, clip]).toEqual([[0, 1, 1, 0, 0], [2]]);
  });
});

describe('ABC-Net (survey [71])', () => {
  test('bases are the signs of w - mean + u std; the scales solve the least squares: no others come closer', () => {
    const w = randomTensor([3, 3, 4, 5], 2);
    const bases = inference(() => weightBases(3)(w, new BinarizeContext(1)).filters.map(({ data }) => [...data]));
    const error = (factors: number[]) =>
      w.data.reduce((sum, v, i) => sum + (v - bases.reduce((s, base, j) => s + factors[j]! * base[i]!, 0)) ** 2, 0);
    const best = error([1, 1, 1]);
    for (const change of [
      [0.9, 1, 1],
      [1, 1.1, 1],
      [1, 1, 0.8],
      [1.05, 0.95, 1],
    ])
      expect(error(change)).toBeGreaterThan(best);
    const mean = w.data.reduce((a, b) => a + b) / w.size;
    const spread = Math.sqrt(w.data.reduce((a, b) => a + (b - mean) ** 2, 0) / w.size);
    for (const [i, u] of [-1, 0, 1].entries()) {
      const alpha = Math.abs(bases[i]![0]!) * Math.sign(bases[i]![0]! * (w.data[0]! - mean + u * spread));
      for (let j = 0; j < w.size; j++) expect(bases[i]![j]).toBe(w.data[j]! - mean + u * spread < 0 ? -alpha : alpha);
    }
  });

  test('the more bases, the smaller the error', () => {
    const w = randomTensor([3, 3, 8, 8], 5);
    const errors = [1, 2, 3, 5].map((count) =>
      inference(() => {
        const sum = effectiveWeights(weightBases(count)(w, new BinarizeContext(1)));
        return Math.hypot(...sum.map((v, i) => v - w.data[i]!));
      }),
    );
    for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThan(errors[i - 1]!);
  });

  test('activation bases: +1 from x + v >= 0 on; the gradient passes where |x + v| <= 1/2', () => {
    const gradients = (x: number[]) => {
      const bench = new Bench(
        abcNetOf(1, 1),
        x.map(() => [1]),
      );
      const input = pixel(x, true);
      return gradientsOf({ x: input, ...bench.layer.learned }, () => {
        const { terms } = abcNetOf(1, 1).activation(input, bench.context, bench.own) as ActivationSum;
        return terms[0]!.bits;
      });
    };
    const { x, shift0 } = gradients([-0.6, -0.5, 0, 0.4, 0.7]);
    expect([x, shift0]).toEqual([[0, 1, 1, 1, 0], [3]]);
  });
});

describe('LQ-Nets (survey [61])', () => {
  test('levels are the sums of the basis, coded by their bits', () => {
    expect(levelsOf([1, 1.2, 1.9], 0).map(({ value, pattern }) => [Number(value.toFixed(1)), pattern])).toEqual([
      [0, 0],
      [1, 1],
      [1.2, 2],
      [1.9, 4],
      [2.2, 3],
      [2.9, 5],
      [3.1, 6],
      [4.1, 7],
    ]);
    expect(levelsOf([1, 2], -1).map(({ value }) => value)).toEqual([-3, -1, 1, 3]);
  });

  test.each([[-1], [0]] as const)('P: a step of the minimization never raises the error (bits %d and 1)', (low) => {
    const values = randomTensor([400], 3).data.map((v) => (low === 0 ? Math.abs(v) : v));
    const error = (basis: Float32Array) => {
      const levels = levelsOf(basis, low).map(({ value }) => value);
      return values.reduce((sum, v) => sum + Math.min(...levels.map((level) => (v - level) ** 2)), 0);
    };
    let basis: Float32Array = Float32Array.of(0.3, 0.9);
    for (let step = 0; step < 8; step++) {
      const next = refineBasis(values, basis, low);
      expect(error(next)).toBeLessThanOrEqual(error(basis) + 1e-4);
      basis = next;
    }
  });

  test('one bit: the basis of a filter moves a tenth of the way to mean|w|; the gradient passes once and unchanged', () => {
    const bench = new Bench(lqNet(2, 2), [[0.5], [-0.25], [1.5], [-0.75]]);
    bench.layer.kept['weightBasis']!.data.set([0.25, 0.75]);
    expect(bench.effective()).toEqual([0.5, -0.5, 1, -0.5]);
    const binary = new Bench(lqNet(1, 2), [[0.5], [-0.25], [1.5], [-0.75]]);
    binary.layer.kept['weightBasis']!.data.set([1]);
    expect(binary.effective()).toEqual([1, -1, 1, -1]);
    expect(binary.layer.kept['weightBasis']!.data[0]).toBeCloseTo(0.9 + 0.1 * 0.75, 5);
    expect(binary.weightGradients([1, 2, 3, 4])['weight']).toEqual([1, 2, 3, 4]);
  });

  test('activations: nearest level, clipped at the largest, where the gradient ends', () => {
    const bench = new Bench(lqNet(1, 2), [[1], [1], [1], [1], [1]]);
    bench.layer.kept['activationBasis']!.data.set([0.5, 1]);
    bench.context.training = false;
    const x = [-1, 0.2, 0.3, 1.2, 9];
    const { terms } = inference(() => ({
      terms: (lqNet(1, 2).activation(pixel(x), bench.context, bench.own) as ActivationSum).terms.map(({ bits }) => [
        ...bits.data,
      ]),
    }));
    expect(x.map((_, i) => terms[0]![i]! + terms[1]![i]!)).toEqual([0, 0, 0.5, 1, 1.5]);
    const input = pixel(x, true);
    const slopes = gradientsOf({ x: input }, () =>
      (lqNet(1, 2).activation(input, bench.context, bench.own) as ActivationSum).terms
        .map(({ bits }): Tensor => bits)
        .reduce(add),
    );
    expect(slopes['x']).toEqual([0, 1, 1, 1, 0]);
  });
});

describe('AdaBin', () => {
  const weights = [0.3, -0.1, 0.8, 0.6, -0.2, 0.1];

  test('the set of the notes: mean +- spread of the filter', () => {
    const bench = new Bench(
      adaBin,
      weights.map((w) => [w]),
    );
    expect(rounded(bench.effective(), 6)).toEqual([0.609398, -0.109398, 0.609398, 0.609398, -0.109398, -0.109398]);
  });

  test.each([
    [1, 1.80947],
    [2, 1.719472],
  ])(
    'P: one XNOR product and one sum of bits give the product of the two sets: 1.809470 of the notes (revision %d)',
    (revision, product) => {
      const bench = new Bench(
        methodNamed('ada-bin', revision),
        weights.map((w) => [w]),
      );
      bench.layer.learned['spread']!.data[0] = 0.7;
      bench.layer.learned['centre']!.data[0] = 0.2;
      const y = inference(() => bench.layer.forward(pixel([1, -1, 1, 1, -1, -1])).data[0]!);
      expect(y).toBeCloseTo(product, 5);
    },
  );

  test.each([1, 2])('equals the float convolution of the two-valued maps, border included (stride %d)', (stride) => {
    const options = { inChannels: 5, outChannels: 4, kernel: 3, pad: 1, stride };
    const context = new BinarizeContext(1);
    const { weight, activation } = adaBin;
    const layer = new BinaryConv2d(
      options,
      { weight, activation, activationScale: false, latent: 'he', context },
      new Random(4),
    );
    const x = randomTensor([2, 6, 5, 5], 8);
    inference(() => layer.forward(x));
    layer.learned['spread']!.data[0] = 0.7;
    layer.learned['centre']!.data[0] = 0.2;
    const own = { learned: layer.learned, kept: {} };
    const simulated = () => {
      const { terms, offset } = activation(x, context, own) as ActivationSum;
      const scaled = sampleScale(terms[0]!.bits, terms[0]!.scale!);
      const shift = new Tensor(new Float32Array(150).fill(offset!.data[0]!), [1, 6, 5, 5]);
      const filter = new Tensor(effectiveWeights(weight(layer.weight, context, own)), layer.weight.shape);
      return conv2d(positionShift(scaled, shift), filter, options);
    };
    const [ours, theirs] = inference(() => [rounded(layer.forward(x).data, 3), rounded(simulated().data, 3)]);
    expect(ours).toEqual(theirs);
  });
});

test('least squares leaves out a column that repeats another', () => {
  const column = [1, 2, 3, 4];
  const factors = leastSquares([column, column, [1, 0, 0, 0]], [3, 4, 6, 8]);
  const fitted = column.map((v, i) => factors[0]! * v + factors[1]! * v + factors[2]! * (i === 0 ? 1 : 0));
  expect(rounded(fitted)).toEqual([3, 4, 6, 8]);
});

test('WRPN: twice the channels in every layer', () => {
  const [narrow, wide] = ['dorefa-w1a1', 'wrpn-2x'].map((method) => networkOf(method).parameters());
  for (const [i, { name, value }] of narrow!.entries())
    if (name.endsWith('conv.weight')) expect(wide![i]!.value.channels).toBe(2 * value.channels);
});

describe('RBNN', () => {
  test.each([
    [1, [Math.SQRT2, Math.SQRT2 - 0.5, Math.SQRT2 - 1, 0]],
    [2, [2 * Math.SQRT2, 2 * Math.SQRT2 - 2, 0, 0]],
  ])('the slope of the notes at t = %d', (t, expected) => {
    const bench = new Bench(rbnn, [[1]], { t });
    const slopes = [0, 0.5, 1, 1.5].map((x) => {
      const input = pixel([x], true);
      return gradientsOf({ input }, () => signActivation(input, activationSlope, bench.context))['input']![0];
    });
    expect(slopes).toEqual(rounded(expected));
  });

  test('halfway rotated weights: gradients of w and theta by finite differences', () => {
    const w = randomTensor([1, 1, 6, 3], 4);
    const context = new BinarizeContext(1);
    context.values = { t: 1, epoch: 0 };
    const { learned, kept } = rotated.start!({ weight: w, input: [1, 1, 6], output: [1, 1, 3], random: new Random(1) });
    const angle = new Tensor(
      learned!['angle']!.values.map((v, c) => v - 0.3 * (c + 1)),
      [3],
      true,
    );
    const own = { learned: { angle }, kept: { ...kept } };
    inference(() => rotated(w, context, own));
    context.training = false;
    checkGradients((a, b) => rotated(a, context, { ...own, learned: { angle: b } }), [w, angle], 1e-3);
    expect(own.kept['solvedEpoch']![0]).toBe(0);
  });
});

describe('SYQ (survey [77])', () => {
  const tensor = randomTensor([3, 3, 2, 4], 6);
  const context = new BinarizeContext(1);
  const quantizer = (group: 'pixel' | 'row') => {
    const apply = subgroupScales(group);
    const { learned } = apply.start!({ weight: tensor, input: [5, 5, 2], output: [5, 5, 4], random: new Random(1) });
    const alpha = new Tensor(learned!['subgroupScale']!.values, [learned!['subgroupScale']!.values.length], true);
    return { alpha, apply: (w: Tensor) => apply(w, context, { learned: { subgroupScale: alpha }, kept: {} }) };
  };

  test.each([
    ['pixel', 9],
    ['row', 3],
  ] as const)('P: one scale a %s, started from mean|w|; the codebook is symmetric', (group, count) => {
    const { alpha, apply } = quantizer(group);
    expect(alpha.size).toBe(count);
    const values = inference(() => [...apply(tensor).data]);
    const perGroup = tensor.size / count;
    for (let g = 0; g < count; g++) {
      const mean = tensor.data
        .subarray(g * perGroup, (g + 1) * perGroup)
        .reduce((s, v) => s + Math.abs(v) / perGroup, 0);
      for (let i = g * perGroup; i < (g + 1) * perGroup; i++)
        expect(values[i]).toBeCloseTo(tensor.data[i]! < 0 ? -mean : mean, 5);
    }
  });

  test('gradients: alpha_g G for w, the sum of G sign(w) over the group for alpha_g', () => {
    const { alpha, apply } = quantizer('row');
    const { w, scales } = gradientsOf({ w: tensor, scales: alpha }, () => apply(tensor));
    expect(w!.slice(0, 24)).toEqual(new Array(24).fill(rounded([alpha.data[0]!])[0]));
    const sums = [0, 1, 2].map((g) =>
      tensor.data.subarray(24 * g, 24 * g + 24).reduce((s, v) => s + (v < 0 ? -1 : 1), 0),
    );
    expect(scales).toEqual(sums);
  });
});

describe('ELBNN (survey [121])', () => {
  test('P: the projection is idempotent, and no other scale comes nearer', () => {
    const v = randomTensor([60], 2).data;
    const [once, twice] = [new Float32Array(60), new Float32Array(60)];
    projectBinary(v, once);
    projectBinary(once, twice);
    for (let i = 0; i < 60; i++) expect(twice[i]).toBeCloseTo(once[i]!, 6);
    const error = (factor: number) => v.reduce((sum, x, i) => sum + (x - factor * once[i]!) ** 2, 0);
    for (const factor of [0.9, 0.99, 1.01, 1.1]) expect(error(1)).toBeLessThan(error(factor));
  });

  test('two steps are one extragradient step: from the old place, with the gradient of the place looked at', () => {
    const bench = new Bench(elbnn, [[0.5], [-0.3]], { frozen: 0 });
    const { weight, kept } = bench.layer;
    const step = (number: number, gradient: number[]) => {
      weight.grad = Float32Array.from(gradient);
      const point = { progress: 0, epoch: 0, rate: 0.1, step: number };
      elbnn.update!.beforeStep!([bench.layer], point);
      for (let i = 0; i < 2; i++) weight.data[i]! -= 0.1 * weight.grad[i]!;
      elbnn.update!.afterStep!([bench.layer], point);
    };
    step(1, [1, 1]);
    expect(rounded(kept['target']!.data)).toEqual([0.4, -0.4]);
    expect(rounded(kept['dual']!.data)).toEqual([0.1, 0.1]);
    step(2, [2, -2]);
    weight.grad = null;
    const pull = (w: number, target: number) => 1e-3 * (w - target + 0.1);
    const looked = [0.5 - 0.1 * (1 + pull(0.5, 0.4)), -0.3 - 0.1 * (1 + pull(-0.3, -0.4))];
    const expected = [0.5 - 0.1 * (2 + pull(looked[0]!, 0.4)), -0.3 - 0.1 * (-2 + pull(looked[1]!, -0.4))];
    expect(rounded(weight.data, 5)).toEqual(rounded(expected, 5));
  });
});
