import { describe, expect, test } from 'vitest';
import { BinarizeContext } from '../binarize/context.ts';
import { counteractiveRate, directionDeviation, leastDeviatingClip } from '../binarize/int8-gradients.ts';
import { softSign } from '../binarize/soft-sign.ts';
import { buildNetwork } from '../models/table.ts';
import { type PRelu, RPRelu } from '../nn/layers.ts';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { multiply, sum } from '../tensor/ops/arithmetic.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bcgd, blendWithBinary, roundedUp } from './bcgd.ts';
import { bnnPlus, bnnPlusSquared, scaleRegulariser } from './bnn-plus.ts';
import { flipByMomentum } from './bop.ts';
import { circulant, turnedTaps } from './cbcn.ts';
import { dsq, softStep } from './dsq.ts';
import { Bench, pixel, rounded } from './equations.testing.ts';
import { hwgq } from './hwgq.ts';
import { int8Training } from './int8-training.ts';
import { itBnn } from './it-bnn.ts';
import { proximalBinary, proxQuant } from './prox-quant.ts';
import { quantizationNetworks } from './quantization-networks.ts';
import { reactNet } from './react-net.ts';
import { selfBinarizing } from './self-binarizing.ts';
import { stepping } from './stepping.ts';

describe('BNN+ (survey [90])', () => {
  test('the regulariser of the notes, both orders, and its gradients', () => {
    const w = pixel([0.5, -1.5, 2, 0]);
    const alpha = new Tensor(Float32Array.of(1, 1, 1, 1), [4]);
    expect(inference(() => [scaleRegulariser(w, alpha, 1).data[0], scaleRegulariser(w, alpha, 2).data[0]])).toEqual([
      3, 2.5,
    ]);
    for (const order of [1, 2] as const)
      checkGradients((a, b) => scaleRegulariser(a, b, order), [randomTensor([5, 3], 1), randomTensor([3], 4)]);
  });

  test('SignSwish slopes on activations and weights, also negative ones beyond 2.4/beta', () => {
    const bench = new Bench(bnnPlus, [[0.2], [-0.2], [0.5]]);
    expect(bench.activationSlopes([0, 0.2, 0.5])['x']).toEqual([5, 3.0237, -0.0846]);
    // alpha is the median 0.2
    expect(bench.weightGradients([1, 1, 1])['weight']).toEqual(
      rounded([0.2 * 3.023661, 0.2 * 3.023661, 0.2 * -0.084622]),
    );
    expect(rounded(new Bench(bnnPlusSquared, [[0.2], [-0.2], [0.5]]).effective())).toEqual([0.3, -0.3, 0.3]);
  });
});

describe('ReActNet', () => {
  test('RSign of the notes: learned thresholds, ApproxSign slope for both', () => {
    const bench = new Bench(reactNet, [[1], [1], [1], [1]]);
    bench.layer.learned['threshold']!.data.fill(-0.2);
    expect(bench.activated([-1, -0.2, 0.1, 0.5])).toEqual([-1, -1, -1, 1]);
    const { x, threshold } = bench.activationSlopes([-1, -0.2, 0.1, 0.5]);
    expect(x).toEqual([0, 1.2, 1.8, 1.4]);
    expect(threshold).toEqual(x);
  });

  test('RPReLU of the notes', () => {
    const layer = new RPRelu(4);
    layer.before.data.fill(-0.5);
    (layer.slope as PRelu).slope.data.fill(0.25);
    layer.after.data.fill(0.1);
    expect(inference(() => rounded(layer.forward(pixel([-1, -0.2, 0.5, 0.5])).data, 3))).toEqual([
      -0.275, -0.075, 0.1, 0.1,
    ]);
  });

  test("two trainings at one rate, of which the first decays: float weights, then bits (the authors' run.sh)", () => {
    expect(reactNet.stages!.map(({ epochs, binary }) => [epochs, binary])).toEqual([
      [128, 'activations'],
      [128, 'both'],
    ]);
    const rules = reactNet.stages!.map(({ defaults }) => ({ ...reactNet.defaults, ...defaults }).optimizer);
    expect(rules.map(({ rate, weightDecay }) => [rate, weightDecay])).toEqual([
      [2.5e-3, 1e-5],
      [2.5e-3, 0],
    ]);
    const at = (binaryWeights: number) => new Bench(reactNet, [[0.5], [-0.25]], { binaryWeights }).effective();
    expect(at(0)).toEqual([0.5, -0.25]);
    expect(at(1)).toEqual([0.375, -0.375]);
  });
});

test('Bop: the flips of the notes', () => {
  const w = Float32Array.of(1, -1, 1, 1);
  flipByMomentum(w, new Float32Array(4), Float32Array.of(2e-4, -2e-4, -2e-4, 1e-6), 0.01, 1e-6);
  expect([...w]).toEqual([-1, 1, 1, 1]);
});

describe('ProxQuant (survey [92])', () => {
  test('the proximal step of the notes; a strong one is the sign; signs are its fixed points', () => {
    const w = Float32Array.of(0.2, 0.95, 1.3, -0.5, -1.05);
    proximalBinary(w, 0.1);
    expect(rounded(w)).toEqual([0.3, 1, 1.2, -0.6, -1]);
    const clipped = Float32Array.of(0.2, -0.9, 0, -0);
    proximalBinary(clipped, 1);
    expect([...clipped]).toEqual([1, -1, 0, -0]);
    proximalBinary(clipped, 0.3);
    expect([...clipped]).toEqual([1, -1, 0, -0]);
  });

  test('float weights, then frozen signs', () => {
    expect(new Bench(proxQuant, [[0.5], [-0.25]], { frozen: 0 }).effective()).toEqual([0.5, -0.25]);
    const bench = new Bench(proxQuant, [[0.5], [-0.25]], { frozen: 1 });
    expect(bench.effective()).toEqual([1, -1]);
    const weight = bench.layer.weight;
    weight.grad = Float32Array.of(1, 1);
    const point = { progress: 0.7, epoch: 7, rate: 0.01, step: 1 };
    proxQuant.update!.beforeStep!([bench.layer], point);
    proxQuant.update!.afterStep!([bench.layer], point);
    expect([[...weight.grad], [...weight.data]]).toEqual([
      [0, 0],
      [1, -1],
    ]);
    weight.grad = null;
  });
});

describe('networks that are soft while they train', () => {
  test('Self-Binarizing (survey [94]): tanh(nu x) with its own slope, the sign at test time', () => {
    const values = [0, 1 / 3, 2 / 3, 1].map((progress) => selfBinarizing.schedule!({ progress, epoch: 0 })['nu']!);
    expect(rounded(values)).toEqual([1, 10, 100, 1000]);
    const soft = values.map((nu) => inference(() => softSign(pixel([0.01]), 'tanh', nu).data[0]!));
    expect(rounded(soft, 6)).toEqual([0.01, 0.099668, 0.761594, 1]);
    const bench = new Bench(selfBinarizing, [[0.1], [-0.2]], { nu: 10 });
    expect(rounded(bench.effective())).toEqual(rounded([Math.tanh(1), Math.tanh(-2)]));
    expect(bench.activationSlopes([0, 0.1])['x']).toEqual(rounded([10, 10 * (1 - Math.tanh(1) ** 2)]));
    bench.context.training = false;
    expect([bench.effective(), bench.activated([-0.1, 0.1])]).toEqual([
      [1, -1],
      [-1, 1],
    ]);
  });

  test('IT-BNN (survey [95]): softsign(lambda x), lambda doubling 16 times, then the sign; activations before weights', () => {
    const at = (progress: number) => itBnn.schedule!({ progress, epoch: 0 });
    expect([at(0), at(0.375), at(0.75)].map(({ lambda }) => lambda)).toEqual([1, 256, Number.POSITIVE_INFINITY]);
    const bench = new Bench(itBnn, [[0.5], [-0.25]], { ...at(0), lambda: 4 });
    expect(bench.effective()).toEqual([0.5, -0.25]);
    expect(bench.activated([0.25, -0.25])).toEqual([0.5, -0.5]);
    expect(bench.activationSlopes([0.25, 0])['x']).toEqual([1, 4]);
    bench.context.values = at(0.8);
    expect([bench.effective(), bench.activated([0.25, -0.25])]).toEqual([
      [0.375, -0.375],
      [1, -1],
    ]);
  });
});

describe('HWGQ (survey [89])', () => {
  test('the codes of the notes; slope 1 on (0, qmax]; weights get the gradient unchanged', () => {
    const x = [-0.3, 0, 0.1, 0.8, 0.81, 1.2, 1.4, 2, 5];
    const bench = new Bench(
      hwgq,
      x.map((_, i) => [i % 2 ? -0.5 : 0.7]),
    );
    expect(bench.activated(x).map((v) => Math.round(v / 0.538))).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 3]);
    expect(bench.activationSlopes(x)['x']).toEqual([0, 0, 1, 1, 1, 1, 1, 0, 0]);
    const g = x.map((_, i) => i);
    expect(bench.weightGradients(g)['weight']).toEqual(g);
  });

  test('P: the steps are the best for half of a Gaussian', () => {
    const density = (x: number) => Math.exp((-x * x) / 2);
    const distortion = (step: number, levels: number) => {
      let total = 0;
      for (let x = 5e-4; x < 8; x += 1e-3) {
        const code = Math.min(levels, Math.max(1, Math.round(x / step)));
        total += density(x) * (x - code * step) ** 2;
      }
      return total;
    };
    for (const [levels, step] of [
      [3, 0.538],
      [1, 0.7979],
    ] as const)
      for (const factor of [0.98, 1.02])
        expect(distortion(step, levels)).toBeLessThan(distortion(step * factor, levels));
  });
});

describe('BCGD (survey [91])', () => {
  test('the blend of the notes', () => {
    const w = Float32Array.of(0.6, -0.2, 0.4);
    blendWithBinary(w, 0.1);
    expect(rounded([...w].map((v, i) => v - 0.1 * [1, -2, 0.5][i]!))).toEqual([0.48, -0.02, 0.35]);
  });

  test('activations of the notes: rounded up, and the three-valued slope of the resolution', () => {
    const two = { ...bcgd, activation: roundedUp(2) };
    const x = [-1, 0.2, 0.5, 0.6, 1, 1.2, 1.5, 2];
    const bench = new Bench(
      two,
      x.map(() => [1]),
    );
    bench.layer.learned['step']!.data[0] = 0.5;
    expect(bench.activated(x)).toEqual([0, 0.5, 0.5, 1, 1, 1.5, 1.5, 1.5]);
    expect(bench.activationSlopes(x)['x']).toEqual([0, 1, 1, 1, 1, 1, 1, 0]);
    // one value at a time; the sum is clipped to [-1,1]
    expect(new Bench(two, [[1]]).activationSlopes([0.1])['step']).toEqual([1]);
    expect(new Bench(two, [[1]]).activationSlopes([-0.1])['step']).toEqual([0]);
  });
});

describe('DSQ (survey [63])', () => {
  test('the soft step of the notes', () => {
    const { s, kappa } = softStep(0.2);
    expect([s, Number(kappa.toFixed(6))]).toEqual([1.25, 1.098612]);
    expect(
      rounded(
        [0, 0.1, 0.5, 1].map((x) => s * Math.tanh(kappa * x)),
        6,
      ),
    ).toEqual([0, 0.136777, 0.625, 1]);
  });

  test('activations: sign with the slope of the step inside [-1,1], nothing outside', () => {
    const bench = new Bench(dsq, [[1], [1], [1], [1]]);
    expect(bench.activationSlopes([0, 0.5, 1.01, -2])['x']).toEqual(rounded([1.373265, 1.029949, 0, 0]));
  });

  test('weights: gradients of w, bound and temperature are those of u phi(w/u)', () => {
    const weights = [0.3, -0.1, 0.05, -0.6];
    const bench = new Bench(
      dsq,
      weights.map((w) => [w]),
    );
    const [u, a] = [bench.layer.learned['bound']!.data[0]!, bench.layer.learned['temperature']!.data[0]!];
    expect(rounded(bench.effective())).toEqual(rounded([u, -u, u, -u]));
    const g = [1, 2, -1, 0.5];
    const soft = (w: readonly number[], bound: number, temperature: number) => {
      const { s, kappa } = softStep(temperature);
      const phi = (v: number) => (Math.abs(v) > 1 ? Math.sign(v) : s * Math.tanh(kappa * v));
      return w.reduce((sum, value, i) => sum + g[i]! * bound * phi(value / bound), 0);
    };
    const difference = (f: (h: number) => number) => (f(1e-5) - f(-1e-5)) / 2e-5;
    const { weight, bound, temperature } = bench.weightGradients(g);
    weights.forEach((_, i) => {
      const moved = (h: number) =>
        soft(
          weights.map((w, j) => (j === i ? w + h : w)),
          u,
          a,
        );
      expect(weight![i]).toBeCloseTo(difference(moved), 3);
    });
    expect(bound![0]).toBeCloseTo(
      difference((h) => soft(weights, u + h, a)),
      2,
    );
    expect(temperature![0]).toBeCloseTo(
      difference((h) => soft(weights, u, a + h)),
      2,
    );
  });

  test('P: as the temperature falls to 0 the step becomes hard', () => {
    const { s, kappa } = softStep(1e-6);
    expect(s * Math.tanh(kappa * 0.3)).toBeGreaterThan(0.95);
  });
});

describe('Quantization Networks (survey [93])', () => {
  test('the soft weights of the notes at T = 10, hard ones at test time, T from 20 an epoch to 2000', () => {
    const bench = new Bench(quantizationNetworks, [[-0.5], [-0.01], [0], [0.02], [0.3]], { temperature: 10 });
    bench.layer.learned['alpha']!.data[0] = 0.8;
    bench.layer.learned['beta']!.data[0] = 1.25;
    expect(rounded(bench.effective())).toEqual([-0.7969, -0.0499, 0, 0.0995, 0.7632]);
    bench.context.training = false;
    expect(rounded(bench.effective())).toEqual([-0.8, -0.8, 0.8, 0.8, 0.8]);
    const at = (epoch: number) => quantizationNetworks.schedule!({ progress: 0, epoch })['temperature'];
    expect([at(0), at(1.5), at(500)]).toEqual([20, 40, 2000]);
  });

  test('slope alpha beta T 2 s(1-s) with s at T = 1, and the gradients of alpha and beta', () => {
    const bench = new Bench(quantizationNetworks, [[-0.5], [0.2]], { temperature: 10 });
    bench.layer.learned['alpha']!.data[0] = 0.8;
    bench.layer.learned['beta']!.data[0] = 1.25;
    const s = (w: number) => 1 / (1 + Math.exp(-1.25 * w));
    const slope = (w: number) => 20 * s(w) * (1 - s(w));
    const { weight, alpha, beta } = bench.weightGradients([1, 2]);
    expect(weight).toEqual(rounded([slope(-0.5), 2 * slope(0.2)]));
    const y = (w: number) => Math.tanh(5 * 1.25 * w);
    expect(alpha).toEqual(rounded([y(-0.5) + 2 * y(0.2)]));
    expect(beta).toEqual(rounded([0.8 * (-0.5 * slope(-0.5) + 2 * 0.2 * slope(0.2))]));
  });
});

describe('CBCN (survey [88])', () => {
  test('quarter turns of the notes; four of them are none', () => {
    const shown = (turns: number) => turnedTaps(3, turns).map((i) => i + 1);
    expect(shown(1)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(shown(2)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(shown(4)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('the gradient of a base filter is the sum of those of its copies, turned back', () =>
    checkGradients((w) => circulant(w, new BinarizeContext(1)), [randomTensor([3, 3, 8, 2], 1)]));

  test('P: a turned image gives turned maps, with the orientations of each group moved on by one', () => {
    const context = new BinarizeContext(1);
    const bank = inference(() => circulant(randomTensor([3, 3, 4, 2], 1), context).data.slice());
    const x = randomTensor([1, 5, 5, 4], 2);
    /** Clockwise, and orientations of the input channels on by one. */
    const turned = (map: Float32Array, channels: number) => {
      const out = new Float32Array(map.length);
      for (let r = 0; r < 5; r++)
        for (let q = 0; q < 5; q++)
          for (let c = 0; c < channels; c++) {
            const next = Math.floor(c / 4) * 4 + ((c + 1) % 4);
            out[(r * 5 + q) * channels + next] = map[((4 - q) * 5 + r) * channels + c]!;
          }
      return out;
    };
    const convolved = (image: Float32Array) =>
      inference(() => conv2d(new Tensor(image, [1, 5, 5, 4]), new Tensor(bank, [3, 3, 4, 8]), { pad: 1 }).data.slice());
    const [direct, expected] = [convolved(turned(x.data, 4)), turned(convolved(x.data), 8)];
    for (let i = 0; i < direct.length; i++) expect(direct[i]).toBeCloseTo(expected[i]!, 4);
  });

  test('a quarter of the parameters; channels that cannot be turned are refused with the reason', () => {
    const build = (method: string, width: number) =>
      buildNetwork({ model: 'resnet20', method, inputShape: [8, 8, 3], classes: 3, width, seed: 1 });
    const latents = (network: ReturnType<typeof build>) =>
      network.parameters().reduce((sum, { value }) => sum + (value.role === 'latent' ? value.size : 0), 0);
    expect(latents(build('bi-real', 1))).toBe(4 * latents(build('cbcn', 1)));
    expect(() => build('cbcn', 0.6)).toThrow(/cannot be turned.*multiples of 4.*--width/);
  });
});

describe('stepping bit-width (survey [125])', () => {
  test('weights step from 32 to 1 bits, activations half a stage later, and both end at one bit', () => {
    const at = (progress: number) => Object.values(stepping.schedule!({ progress, epoch: 0 }));
    expect([0, 0.1, 0.21, 0.31, 0.5, 0.7, 0.85, 0.9, 1].map(at)).toEqual([
      [32, 32],
      [32, 32],
      [8, 32],
      [8, 8],
      [4, 4],
      [2, 2],
      [1, 2],
      [1, 1],
      [1, 1],
    ]);
  });

  test.each([32, 8, 4, 2, 1])('%d-bit weights have at most 2^bits values', (bits) => {
    const weights = [...randomTensor([400], 3).data].map((w) => [w]);
    const values = new Set(new Bench(stepping, weights, { weightBits: bits }).effective());
    expect(values.size).toBeLessThanOrEqual(Math.min(400, 2 ** bits));
    if (bits === 1) expect(values.size).toBe(2);
  });
});

describe('eight-bit gradients (survey [41])', () => {
  const g = [0.9, -0.02, 0.4, -0.01];

  test('deviation and counteractive rate of the notes; the search takes the clip that turns least', () => {
    expect([1, 0.5, 0.1].map((clip) => Number(directionDeviation(g, clip).toFixed(6)))).toEqual([
      0.000012, 0.033267, 0.074653,
    ]);
    expect([0, 0.01, 0.05, 0.2].map((d) => Number(counteractiveRate(d).toFixed(6)))).toEqual([
      1, 0.818731, 0.367879, 0.1,
    ]);
    const { clip, deviation } = leastDeviatingClip(g);
    for (const other of [0.3, 0.5, 0.7]) expect(deviation).toBeLessThanOrEqual(directionDeviation(g, other));
    expect(clip).toBeGreaterThan(0.7);
  });

  test('gradients lie on 256 levels and are right on average', () => {
    const bench = new Bench(int8Training, [[1, 1, 1, 1]]);
    const sums = new Float64Array(4);
    const draws = 400;
    for (let i = 0; i < draws; i++) {
      const y = pixel([0, 0, 0, 0], true);
      const gradient = trainingStep(() => {
        const out = int8Training.output!(y, bench.context, bench.own, y);
        backward(sum(multiply(out, new Tensor(Float32Array.from(g), out.shape))));
        const copy = [...y.grad!];
        y.grad = null;
        return copy;
      });
      const step = bench.layer.kept['gradientClip']!.data[0]! / 127;
      for (const [j, value] of gradient.entries()) {
        expect(Math.abs(value / step - Math.round(value / step))).toBeLessThan(1e-3);
        sums[j]! += value / draws;
      }
    }
    for (const [j, value] of g.entries()) expect(Math.abs(sums[j]! - value)).toBeLessThan(1e-3);
  });
});
