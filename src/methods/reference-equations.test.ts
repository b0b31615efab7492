import { describe, expect, test } from 'vitest';
import { BinarizeContext } from '../binarize/context.ts';
import type { ActivationSum } from '../binarize/terms.ts';
import { effectiveActivations } from '../nn/product.ts';
import { add, multiply } from '../tensor/ops/arithmetic.ts';
import { sampleScale } from '../tensor/ops/sample.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { adaBin } from './ada-bin.ts';
import { Bench, gradientsOf, pixel } from './equations.testing.ts';
import { proximalBinary } from './prox-quant.ts';
import { rotated } from './rbnn.ts';
import { methodNamed } from './table.ts';

/*
 * Where Signum once differed from the authors' programs: their equations, written out here in double precision and differentiated numerically.
 */

type Values = readonly number[];
const mean = (x: Values) => x.reduce((a, b) => a + b, 0) / x.length;
/** @param correction 1: unbiased */
const variance = (x: Values, correction: number) =>
  x.reduce((total, v) => total + (v - mean(x)) ** 2, 0) / (x.length - correction);

/** d f/d x_j of every component of f, by central differences: [j][i]. */
function jacobian(f: (x: Values) => Values, x: Values, step = 1e-5): number[][] {
  return x.map((_, j) => {
    const [above, below] = [1, -1].map((side) => f(x.map((v, i) => (i === j ? v + side * step : v))));
    return above!.map((v, i) => (v - below![i]!) / (2 * step));
  });
}

const dot = (a: Values, b: Values) => a.reduce((total, v, i) => total + v * b[i]!, 0);
const column = (w: Values) => w.map((v) => [v]);

function expectClose(ours: Values, theirs: Values): void {
  expect(ours).toHaveLength(theirs.length);
  for (const [i, v] of theirs.entries()) expect(ours[i]).toBeCloseTo(v, 3);
}

const weights = [0.5, -0.2, 0.1, 0.9, -1.4, 0.35];
const g = [1, 3, 0.25, -0.5, 2, -1];

test.each([
  ['one maximum', weights],
  ['two, which share', [0.5, -1.4, 0.1, 0.9, 1.4, 0.35]],
])('DoReFa, 2-bit weights: the gradient goes through max|tanh w| (%s)', (_name, w) => {
  // the rounding passes gradient 1: 2 (tanh w/(2 max|tanh w|) + 1/2) - 1
  const passed = (v: Values) => {
    const t = v.map(Math.tanh);
    const most = Math.max(...t.map(Math.abs));
    return t.map((a) => a / most);
  };
  const rows = jacobian(passed, w);
  const ours = new Bench(methodNamed('dorefa-w2a2'), column(w)).weightGradients(g)['weight']!;
  const theirs = rows.map((row) => dot(row, g));
  // at two equal maxima central differences halve what each alone would have: what amax and reduce_max give
  expectClose(ours, theirs);
  const constant = w.map((v, i) => (g[i]! * (1 - Math.tanh(v) ** 2)) / Math.tanh(1.4));
  expect(ours.some((v, i) => Math.abs(v - constant[i]!) > 0.05)).toBe(true);
});

test('few-bit activations: halves go to the even code; in revision 1 they went up', () => {
  const halves = [0.5, Math.fround(1 / 6), Math.fround(5 / 6)];
  const codes = (id: string, revision?: number) => [
    ...(inference(() => methodNamed(id, revision).activation(pixel(halves), new BinarizeContext(1))) as Tensor).data,
  ];
  expect(codes('dorefa-w1a1')[0]).toBe(0);
  expect(codes('dorefa-w1a1', 1)[0]).toBe(1);
  // 1.5, 0.5 and 2.5 thirds
  expectClose(codes('dorefa-w1a2'), [2 / 3, 0, 2 / 3]);
  expectClose(codes('dorefa-w1a2', 1), [2 / 3, 1 / 3, 2 / 3]);
});

describe('AdaBin', () => {
  test('weights: mean and biased spread, and the slope of the weights divided by them', () => {
    const t = 0.4;
    const k = Math.max(1 / t, 1);
    const spread = (w: Values) => Math.sqrt(variance(w, 0));
    const normal = (w: Values) => w.map((v) => (v - mean(w)) / spread(w));
    const signs = normal(weights).map(Math.sign);
    const slopes = normal(weights).map((v) => k * t * (1 - Math.tanh(t * v) ** 2));
    const [dNormal, dSpread, dMean] = [normal, (w: Values) => [spread(w)], (w: Values) => [mean(w)]].map((f) =>
      jacobian(f, weights),
    );
    const theirs = weights.map((_, j) => {
      const through = g.reduce((total, v, i) => total + v * spread(weights) * slopes[i]! * dNormal![j]![i]!, 0);
      return through + dot(g, signs) * dSpread![j]![0]! + g.reduce((a, b) => a + b) * dMean![j]![0]!;
    });
    const bench = new Bench(adaBin, column(weights), { t });
    expectClose(bench.weightGradients(g)['weight']!, theirs);
    expectClose(
      bench.effective(),
      signs.map((s) => s * spread(weights) + mean(weights)),
    );
  });

  const activations = [1, -0.4, 0.2, 2.1, 0.9, -3];
  const [spread, centre] = [2, 0.5];

  test("activations: alpha (sign + beta), so that the authors' weights can be loaded; alpha sign + beta in revision 1", () => {
    const set = (revision?: number) => {
      const method = methodNamed('ada-bin', revision);
      const bench = new Bench(method, [[1]]);
      bench.layer.learned['spread']!.data[0] = spread;
      bench.layer.learned['centre']!.data[0] = centre;
      return inference(() => [
        ...effectiveActivations(method.activation(pixel(activations), bench.context, bench.own)),
      ]);
    };
    const signs = activations.map((x) => Math.sign((x - centre) / spread));
    expectClose(
      set(),
      signs.map((s) => spread * (s + centre)),
    );
    expect(set()[0]).toBe(3);
    expectClose(
      set(1),
      signs.map((s) => spread * s + centre),
    );
    expect(set(1)[0]).toBe(2.5);
  });

  test('gradients of activations, alpha and beta', () => {
    const bench = new Bench(adaBin, [[1]]);
    bench.layer.learned['spread']!.data[0] = spread;
    bench.layer.learned['centre']!.data[0] = centre;
    const x = pixel(activations, true);
    const factors = new Tensor(Float32Array.from(g), x.shape);
    const ours = gradientsOf({ x, ...bench.layer.learned }, () => {
      const { terms, offset } = adaBin.activation(x, bench.context, bench.own) as ActivationSum;
      const ones = new Tensor(new Float32Array(g.length).fill(1), x.shape);
      const scaled = multiply(sampleScale(terms[0]!.bits, terms[0]!.scale!), factors);
      const shifted = multiply(sampleScale(ones, offset!), factors);
      return add(scaled, shifted);
    });
    const normal = activations.map((v) => (v - centre) / spread);
    const slopes = normal.map((v) => Math.max(0, 2 - 2 * Math.abs(v)));
    const [total, signed] = [g.reduce((a, b) => a + b), dot(g, normal.map(Math.sign))];
    const inner = g.map((v, i) => spread * v * slopes[i]!);
    expectClose(
      ours['x']!,
      inner.map((v) => v / spread),
    );
    expectClose(ours['spread']!, [signed + centre * total - dot(inner, normal) / spread]);
    expectClose(ours['centre']!, [spread * total - inner.reduce((a, b) => a + b) / spread]);
  });
});

describe("an image's activations are divided by their unbiased deviation while training", () => {
  const x = [0.3, -0.2, 0.6, 0.1, -0.45, 0.05];
  const approx = (v: number) => Math.max(0, 2 - 2 * Math.abs(v));
  const triangle = (v: number) => Math.max(0, 2 * Math.sqrt(1 / 2) - Math.abs(v));
  test.each([
    ['recu', false, approx],
    ['siman', true, approx],
    ['rbnn', true, triangle],
    ['biper', false, approx],
  ] as const)('%s', (id, centred, slope) => {
    const normal = (v: Values) => {
      const deviation = Math.sqrt(variance(v, 1) + 1e-5);
      return v.map((a) => (a - (centred ? mean(v) : 0)) / deviation);
    };
    const slopes = normal(x).map(slope);
    const theirs = jacobian(normal, x).map((row) => dot(row, slopes));
    const bench = new Bench(methodNamed(id), [[1]], { t: 0.1 });
    bench.context.training = true;
    expectClose(bench.activationSlopes(x)['x']!, theirs);
  });
});

test('ProxQuant: sign(w) (1 + sign(|w| - 1) max(0, ||w| - 1| - r)); 0 has no sign and stays', () => {
  const w = [0, -0, 0.05, -0.3, 0.97, 1.4, -2];
  const r = 0.1;
  const stepped = Float32Array.from(w);
  proximalBinary(stepped, r);
  const theirs = w.map((v) => {
    const excess = Math.abs(v) - 1;
    return Math.sign(v) * (1 + Math.sign(excess) * Math.max(0, Math.abs(excess) - r));
  });
  expectClose([...stepped], theirs);
  expect(stepped[0]).toBe(0);
});

test.each(['bi-real', 'react-net'])(
  '%s: the weight gets the gradient of its scaled sign as it is, where |w| <= 1',
  (id) => {
    const bench = new Bench(methodNamed(id), column(weights), { binaryWeights: 1 });
    expectClose(
      bench.weightGradients(g)['weight']!,
      weights.map((v, i) => (Math.abs(v) <= 1 ? g[i]! : 0)),
    );
    const scale = mean(weights.map(Math.abs));
    expectClose(
      bench.effective(),
      weights.map((v) => scale * Math.sign(v)),
    );
  },
);

test("RBNN's code: w + |sin theta| (constant - w), so dw = (1 - |sin theta|) g through the standardised weights", () => {
  const theta = 0.7;
  const bench = new Bench(methodNamed('rbnn-code'), column(weights), { t: 0.1, epoch: 0, followRotation: 0 });
  bench.context.training = false;
  bench.layer.learned['angle']!.data[0] = theta;
  const share = Math.abs(Math.sin(theta));
  const normal = (w: Values) => w.map((v) => (v - mean(w)) / Math.sqrt(variance(w, 1)));
  // the rotations solved for nothing yet: what they make of the weights is read off the transform itself
  const turned = inference(() => [
    ...rotated(new Tensor(Float32Array.from(normal(weights)), [6, 1]), bench.context, bench.own).data,
  ]).map((v, i) => (v - (1 - share) * normal(weights)[i]!) / share);
  const slopes = normal(weights).map((v, i) => {
    const x = (1 - share) * v + share * turned[i]!;
    // k (2 sqrt(t^2/2) - |t^2 x|), k = 1/t, t = 0.1
    return 10 * Math.max(0, 2 * Math.sqrt(0.01 / 2) - Math.abs(0.01 * x));
  });
  const alpha = bench.layer.learned['weightScale']!.data[0]!;
  const theirs = jacobian(normal, weights).map((row) =>
    dot(
      row,
      slopes.map((s, i) => alpha * s * (1 - share) * g[i]!),
    ),
  );
  expectClose(bench.weightGradients(g)['weight']!, theirs);
});
