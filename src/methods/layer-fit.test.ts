import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitSigns, normalEquations } from '../binarize/binary-regression.ts';
import { Random } from '../core/random.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { samplePositions, windowsOf } from '../nn/windows.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { inference } from '../tensor/tape.ts';
import { fitLayers, isFitted } from '../train/fit-layers.ts';
import { hashFilters } from './bwnh.ts';
import { Bench, gradientsOf, pixel, rounded } from './equations.testing.ts';
import { decompose, semiBinary } from './semi-binary.ts';
import { freePreActivation, sparseActivation, sparseLevels, tsq } from './tsq.ts';

function normals(size: number, seed: number): Float32Array {
  const values = new Float32Array(size);
  new Random(seed).fillNormal(values, 0, 1);
  return values;
}

const product = (x: Float32Array, b: ArrayLike<number>, p: number) =>
  Array.from({ length: b.length }, (_, i) => x[p * b.length + i]! * b[i]!).reduce((sum, value) => sum + value, 0);
const residual = (x: Float32Array, y: Float32Array, alpha: number, b: ArrayLike<number>) =>
  y.reduce((sum, value, p) => sum + (value - alpha * product(x, b, p)) ** 2, 0);

describe('least squares by signs', () => {
  const problems = fc.record({ seed: fc.integer({ min: 1, max: 1e6 }), inputs: fc.integer({ min: 1, max: 6 }) });

  test('never ends above where it began, and no single sign can lower it further', () => {
    fc.assert(
      fc.property(problems, ({ seed, inputs }) => {
        const [x, y] = [normals(20 * inputs, seed), normals(20, seed + 1)];
        const start = normals(inputs, seed + 2).map((value) => (value < 0 ? -1 : 1));
        const moments = new Float32Array(inputs).map((_, i) => y.reduce((s, v, p) => s + v * x[p * inputs + i]!, 0));
        const b = start.slice();
        const alpha = fitSigns(normalEquations(x, inputs), moments, b);
        expect(alpha).toBeGreaterThanOrEqual(0);
        const reached = residual(x, y, alpha, b);
        for (const scale of [0, 0.3, 1, alpha])
          expect(reached).toBeLessThanOrEqual(residual(x, y, scale, start) + 1e-4);
        for (let i = 0; i < inputs; i++) {
          const flipped = b.map((sign, j) => (i === j ? -sign : sign));
          expect(reached).toBeLessThanOrEqual(residual(x, y, alpha, flipped) + 1e-4);
        }
      }),
    );
  });

  test('windows are what the convolution multiplies by', () => {
    const { layer } = new Bench(tsq, [[1], [2]]);
    Object.assign(layer.options, { kernel: 3, pad: 1, stride: 2, inChannels: 2, outChannels: 3 });
    const [x, w] = [randomTensor([2, 5, 4, 2], 3), randomTensor([3, 3, 2, 3], 4)];
    const positions = samplePositions(layer, x, 1000, new Random(1));
    const windows = windowsOf(layer, x, positions);
    const y = inference(() => rounded(conv2d(x, w, { pad: 1, stride: 2 }).data));
    const products = Array.from(positions, (_, p) =>
      Array.from({ length: 3 }, (_, c) =>
        product(
          windows,
          Float32Array.from({ length: 18 }, (_, i) => w.data[i * 3 + c]!),
          p,
        ),
      ),
    );
    expect(rounded(products.flat())).toEqual(y);
  });
});

const layersOf = (method: string) => {
  const network = buildNetwork({
    model: 'vgg-small',
    method,
    inputShape: [8, 8, 3],
    classes: 4,
    width: 0.0625,
    seed: 2,
  });
  inference(() => network.forward(randomTensor([2, 8, 8, 3], 1)));
  const layers = network.modules().flatMap(({ value }) => (value instanceof BinaryConv2d ? [value] : []));
  return { network, layers };
};

describe('BWNH (survey [73])', () => {
  test('P: codes keep the products with the data better than the signs of the weights do', () => {
    const { layers } = layersOf('bwnh');
    const layer = layers[1]!;
    const { rows, channels } = layer.weight;
    // inputs after a ReLU: correlated, so that the nearest code is not the sign
    const windows = normals(200 * rows, 5).map((value, i) => Math.max(0, value + Math.sin(i % rows)));
    const before = layer.weight.data.slice();
    hashFilters({ layer, windows, windowsBefore: windows });
    let better = 0;
    for (let c = 0; c < channels; c++) {
      const [w, fitted] = [before, layer.weight.data].map((data) =>
        Float32Array.from({ length: rows }, (_, i) => data[i * channels + c]!),
      ) as [Float32Array, Float32Array];
      const y = Float32Array.from({ length: 200 }, (_, p) => product(windows, w, p));
      const alpha = w.reduce((sum, value) => sum + Math.abs(value), 0) / rows;
      const ours = residual(windows, y, 1, fitted);
      const plain = residual(
        windows,
        y,
        alpha,
        w.map((value) => (value < 0 ? -1 : 1)),
      );
      expect(ours).toBeLessThanOrEqual(plain * (1 + 1e-5));
      if (ours < 0.7 * plain) better++;
      expect(new Set(fitted.map(Math.abs)).size).toBe(1);
    }
    expect(better).toBeGreaterThan(channels / 2);
  });
});

describe('semi-binary decomposition (survey [38])', () => {
  const rebuilt = (columns: number, terms: number, { v, d, u }: ReturnType<typeof decompose>) =>
    Float32Array.from({ length: (v.length / terms) * columns }, (_, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      return d.reduce((sum, size, t) => sum + size * v[r * terms + t]! * u[t * columns + c]!, 0);
    });
  const error = (w: Float32Array, columns: number, terms: number) =>
    rebuilt(columns, terms, decompose(w, columns, terms)).reduce((sum, value, i) => sum + (value - w[i]!) ** 2, 0);

  test('one term of signs is found exactly; the error falls with every term', () => {
    const outer = Float32Array.of(0.5, -0.5, -0.5, 0.5, 0.5, -0.5);
    expect(error(outer, 2, 1)).toBeCloseTo(0, 10);
    const w = normals(18 * 8, 3);
    const errors = [1, 2, 4, 8, 16].map((terms) => error(w, 8, terms));
    for (let i = 1; i < errors.length; i++) expect(errors[i]!).toBeLessThan(errors[i - 1]!);
    // eight terms say more than one sign and one scale for every filter
    const bwn = Array.from({ length: 8 }, (_, c) => {
      const column = w.filter((_, i) => i % 8 === c);
      const alpha = column.reduce((sum, value) => sum + Math.abs(value), 0) / column.length;
      return column.reduce((sum, value) => sum + (Math.abs(value) - alpha) ** 2, 0);
    }).reduce((sum, value) => sum + value, 0);
    expect(errors[3]!).toBeLessThan(bwn);
  });

  test('the layer is a convolution by V diag(d), then one by U; both learn straight through', () => {
    const bench = new Bench(semiBinary, [[0.5, -0.25]]);
    bench.layer.learned['mix']!.data.set([0.1, -0.1, 0.2, 0.3]);
    const x = pixel([2]);
    expect(inference(() => [...bench.layer.forward(x).data])).toEqual([2 * 0.5 - 2 * 0.25, -2 * 0.5 - 2 * 0.25]);
    const { mix } = gradientsOf({ mix: bench.layer.learned['mix']! }, () => bench.layer.forward(x));
    expect(mix).toEqual([1, 1, -0.5, -0.5]);
  });
});

describe('TSQ (survey [72], eq. 9)', () => {
  test('levels are those of the Lloyd-Max quantizer (Max 1960, table I: 3 and 7 levels)', () => {
    expect(rounded(sparseLevels(1).levels, 2)).toEqual([1.22]);
    expect(rounded(sparseLevels(1).thresholds, 2)).toEqual([0.61]);
    expect(rounded(sparseLevels(3).levels, 2)).toEqual([0.56, 1.19, 2.03]);
    expect(rounded(sparseLevels(3).thresholds, 2)).toEqual([0.28, 0.87, 1.61]);
  });

  test('activations: 0 up to the cut, then levels; the gradient passes on (0, last level]', () => {
    const bench = new Bench(tsq, [[1], [1], [1], [1], [1], [1]]);
    const x = [-1, 0.2, 0.5, 1, 1.9, 3];
    const product = inference(() => {
      bench.layer.weight.data.fill(1);
      return x.map((value) => bench.layer.forward(pixel([value, 0, 0, 0, 0, 0])).data[0]!);
    });
    expect(rounded(product, 2)).toEqual([0, 0, 0.56, 1.19, 2.03, 2.03]);
    const input = pixel(x, true);
    const { slope } = gradientsOf({ slope: input }, () => bench.layer.forward(input));
    expect(slope).toEqual([0, 1, 1, 1, 1, 0]);
    expect(sparseActivation(sparseLevels(1))(pixel([1]), bench.context)).toHaveProperty('planes');
  });

  test('the free pre-activation is the best of all on a fine grid', () => {
    const quantizer = sparseLevels(3);
    const level = (y: number) => quantizer.levels[quantizer.thresholds.filter((t) => t <= y).length - 1] ?? 0;
    const cost = (z: number, wanted: number, y: number) => (z - level(y)) ** 2 + (y - wanted) ** 2;
    fc.assert(
      fc.property(fc.constantFrom(0, ...quantizer.levels), fc.double({ min: -4, max: 4, noNaN: true }), (z, wanted) => {
        const ours = cost(z, wanted, freePreActivation(z, wanted, quantizer));
        for (let y = -5; y < 5; y += 0.01) expect(ours).toBeLessThanOrEqual(cost(z, wanted, y) + 1e-4);
      }),
    );
  });

  test('P: fitted weights give outputs nearer to the first step than signs of the weights, and are frozen', () => {
    const { network, layers } = layersOf('tsq');
    network.setPoint({ progress: 0.8, epoch: 1 });
    expect(isFitted(network)).toBe(false);
    const images = randomTensor([8, 8, 8, 3], 7);
    const [logits, plain] = [true, false].map((waiting) => {
      if (!waiting) network.context.values = {};
      network.setTraining(false);
      return inference(() => network.forward(images).data.slice());
    }) as [Float32Array, Float32Array];
    network.setPoint({ progress: 0.8, epoch: 1 });
    fitLayers(network, network.method.fit!, images);
    expect(isFitted(network)).toBe(true);
    network.setTraining(false);
    const fitted = inference(() => network.forward(images).data.slice());
    const distance = (a: Float32Array) => a.reduce((sum, value, i) => sum + (value - logits[i]!) ** 2, 0);
    expect(distance(fitted)).toBeLessThan(distance(plain));
    for (const { weight } of layers) weight.grad = new Float32Array(weight.size).fill(1);
    network.method.update!.beforeStep!(layers, { progress: 0.9, epoch: 1, rate: 1, step: 9 });
    for (const { weight } of layers) expect(weight.grad).toBeNull();
  });
});
