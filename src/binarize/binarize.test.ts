import { afterEach, describe, expect, test } from 'vitest';
import { availableBackends, useKernels } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { quantizeUnit } from '../exact/unit-levels.ts';
import { checkGradients, randomTensor, tapeGradients } from '../tensor/gradients.testing.ts';
import { sum } from '../tensor/ops/arithmetic.ts';
import { binaryConv2d } from '../tensor/ops/binary-conv.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { planeConv2d } from '../tensor/ops/plane-conv.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { type PlaneTensor, type SignFilter, SignTensor, Tensor } from '../tensor/tensor.ts';
import { binarizeActivation, signActivation, stochasticActivation } from './activations.ts';
import { BinarizeContext } from './context.ts';
import { approxSign, clippedSte, errorDecay, straightThrough, swishSign } from './estimators.ts';
import { quantizeGradient } from './gradients.ts';
import { unitActivation } from './level-activations.ts';
import { filterMean, layerMean, noScale, powerOfTwoMean } from './scales.ts';
import { standardise, standardiseWithFloor } from './transforms.ts';
import { binarizeWeights, stochasticWeights, tanhLevels } from './weights.ts';

const context = new BinarizeContext(1);
const column = (...values: number[]) => new Tensor(Float32Array.from(values), [1, 1, values.length, 1], true);

/** dL/dx for L = sum(f(x)), i.e. the slope itself. */
function slopes(f: (x: Tensor) => Tensor, x: Tensor): number[] {
  return trainingStep(() => {
    backward(sum(f(x)));
    const gradient = [...x.grad!];
    x.grad = null;
    return gradient;
  });
}
const rounded = (values: Iterable<number>, digits = 4) => [...values].map((v) => Number(v.toFixed(digits)) + 0);

afterEach(() => {
  context.values = {};
  context.training = true;
});

describe('sign estimators: +1 at 0, and the published slope inside, outside and on the border', () => {
  test('forward is sign with sign(0) = +1, and -0 too', () => {
    const y = inference(() => [...signActivation(column(-2, -0, 0, 1e-30, -1e-30, 3), clippedSte, context).data]);
    expect(y).toEqual([-1, 1, 1, 1, -1, 1]);
  });

  test.each([
    ['identity', straightThrough, [-3, 0, 3], [1, 1, 1]],
    ['clip (survey eq. 5)', clippedSte, [-1.5, -1, -0.5, 0, 1, 1.01], [0, 1, 1, 1, 1, 0]],
    ['approx-sign (survey eq. 13)', approxSign, [-1.5, -1, -0.5, 0, 0.25, 1, 2], [0, 0, 1, 2, 1.5, 0, 0]],
    ['swish-sign, beta 5', swishSign(5), [0, 0.2, 0.5], [5, 3.0237, -0.0846]],
  ] as const)('%s', (_name, estimator, x, expected) => {
    expect(rounded(slopes((a) => binarizeActivation(estimator)(a, context), column(...x)))).toEqual(expected);
  });

  test.each([
    [0.1, [1, 0.9975, 0.9901]],
    [1, [1, 0.7864, 0.42]],
    [10, [10, 0.0018, 0]],
  ])('error decay estimator at t = %d (IR-Net eq. 8-9)', (t, expected) => {
    context.values = { t };
    expect(rounded(slopes((a) => binarizeActivation(errorDecay)(a, context), column(0, 0.5, 1)))).toEqual(expected);
  });

  test('approx-sign integrates to the jump of sign, 2', () => {
    const x = column(...Array.from({ length: 4001 }, (_, i) => -2 + i / 1000));
    expect(slopes((a) => binarizeActivation(approxSign)(a, context), x).reduce((a, b) => a + b) / 1000).toBeCloseTo(
      2,
      3,
    );
  });
});

describe('weights', () => {
  const w = () => column(0.5, -0.25, 1.5, -0.75);
  const g = [1, 2, 3, 4];
  /** dL/dw for a given dL/d(alpha b). */
  const gradientFor = (quantizer: ReturnType<typeof binarizeWeights>) =>
    slopes((x) => {
      const filter = quantizer(x, context);
      // multiply by constants through a 1x1 "convolution" of one pixel
      return conv2d(new Tensor(Float32Array.from(g), [1, 1, 1, 4]), filter);
    }, w());

  test('alpha = mean|w| minimises the quantization error (survey eq. 8)', () => {
    const random = new Random(3);
    const weights = randomTensor([3, 3, 4, 2], 5);
    const alpha = filterMean(weights);
    const error = (scale: number, c: number) =>
      weights.data.reduce((total, v, i) => (i % 2 === c ? total + (v - scale * Math.sign(v)) ** 2 : total), 0);
    for (const c of [0, 1])
      for (let i = 0; i < 50; i++)
        expect(error(alpha[c]!, c)).toBeLessThanOrEqual(error(alpha[c]! * (0.5 + random.uniform()), c) + 1e-6);
  });

  test.each([
    ['straight', [1, 2, 3, 4]],
    ['detached', [0.75, 1.5, 2.25, 3]],
    ['exact', [0.25, 2, 1.75, 3.5]],
    ['published', [1, 2, 3, 4]],
  ] as const)('gradient form %s with identity slope', (scaleGradient, expected) => {
    expect(
      rounded(gradientFor(binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient }))),
    ).toEqual(expected);
  });

  test('Bi-Real: alpha*g inside [-1,1], 0 outside', () => {
    expect(
      gradientFor(binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'detached' })),
    ).toEqual([0.75, 1.5, 0, 3]);
  });

  test('XNOR-Net: the chain rule through alpha, clipped', () => {
    expect(gradientFor(binarizeWeights({ scale: filterMean, estimator: clippedSte, scaleGradient: 'exact' }))).toEqual([
      0.25, 2, -0.5, 3.5,
    ]);
  });

  test('scales: layer mean is one number, power of two is one, none is 1', () => {
    const weights = randomTensor([3, 3, 8, 6], 2);
    expect(new Set(layerMean(weights)).size).toBe(1);
    for (const scale of powerOfTwoMean(weights)) expect(Number.isInteger(Math.log2(scale))).toBe(true);
    expect([...noScale(weights)]).toEqual(new Array(6).fill(1));
  });

  test('standardise: zero mean, unit unbiased variance per filter (IR-Net eq. 5), the example of the paper notes, and its gradient', () => {
    const example = inference(() => rounded(standardise(column(0.3, -0.1, 0.8, 0.6, -0.2, 0.1), context).data, 3));
    expect(example).toEqual([0.127, -0.889, 1.397, 0.889, -1.143, -0.381]);
    checkGradients((a) => standardise(a, context), [randomTensor([3, 3, 2, 3], 4)], 1e-3);
  });

  test('standardiseWithFloor: (w - mean)/sqrt(var + 1e-5) of the unbiased variance, as the codes of ReCU and SiMaN have it', () => {
    const w = [0.003, -0.001, 0.008, 0.006, -0.002, 0.001];
    const mean = w.reduce((a, b) => a + b) / w.length;
    const variance = w.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (w.length - 1);
    const expected = w.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
    const given = inference(() => [...standardiseWithFloor(column(...w), context).data]);
    for (const [i, value] of given.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
    checkGradients((a) => standardiseWithFloor(a, context), [randomTensor([3, 3, 2, 3], 4)], 1e-3);
  });

  test('balanced signs: about half of the bits of a standardised filter are +1', () => {
    const weights = new Tensor(
      randomTensor([3, 3, 64, 8], 4).data.map((v) => v + 2),
      [3, 3, 64, 8],
    );
    const positive = inference(
      () => standardise(weights, context).data.reduce((n, v) => n + Number(v >= 0), 0) / weights.size,
    );
    expect(Math.abs(positive - 0.5)).toBeLessThan(0.03);
  });

  test('stochastic weights average to w inside [-1,1] (survey eq. 6-7)', () => {
    const w0 = column(-1.5, -0.6, 0, 0.3, 0.9);
    const totals = new Float64Array(5);
    const draws = 4000;
    for (let i = 0; i < draws; i++)
      inference(() =>
        (stochasticWeights(noScale)(w0, context) as SignFilter).data.forEach((v, j) => {
          totals[j]! += v / draws;
        }),
      );
    for (const [i, expected] of [-1, -0.6, 0, 0.3, 0.9].entries())
      expect(Math.abs(totals[i]! - expected)).toBeLessThan(0.06);
    context.training = false;
    expect(inference(() => [...stochasticWeights(noScale)(w0, context).data])).toEqual([-1, -1, 1, 1, 1]);
  });

  test('DoReFa k-bit weights lie on 2^k levels in [-1,1]', () => {
    const levels = inference(() => new Set(tanhLevels(2)(randomTensor([3, 3, 4, 4], 1), context).data));
    for (const level of levels) expect(rounded([-1, -1 / 3, 1 / 3, 1])).toContain(Number(level.toFixed(4)));
  });
});

describe('activations', () => {
  test('stochastic activations follow hardsigmoid and are deterministic at test time', () => {
    const x = column(-2, -0.5, 0.5, 2);
    const positives = new Float64Array(4);
    for (let i = 0; i < 4000; i++)
      inference(() =>
        stochasticActivation(clippedSte)(x, context).data.forEach((v, j) => {
          positives[j]! += Number(v > 0) / 4000;
        }),
      );
    for (const [i, p] of [0, 0.25, 0.75, 1].entries()) expect(Math.abs(positives[i]! - p)).toBeLessThan(0.03);
    context.training = false;
    expect(inference(() => [...stochasticActivation(clippedSte)(x, context).data])).toEqual([-1, -1, 1, 1]);
  });

  test('DoReFa activations: quantize_k(clip(x,0,1)), gradient inside the clip', () => {
    expect(quantizeUnit(0.4, 2)).toBeCloseTo(1 / 3);
    expect(inference(() => rounded(unitActivation(2)(column(-1, 0.1, 0.4, 0.9, 2), context).data))).toEqual([
      0, 0, 0.3333, 1, 1,
    ]);
    expect(slopes((x) => unitActivation(1)(x, context), column(-0.1, 0, 0.5, 1, 1.1))).toEqual([0, 1, 1, 1, 0]);
  });

  test('DoReFa gradients: k-bit levels, unbiased within one step', () => {
    const x = randomTensor([2, 3, 3, 4], 1);
    const [plain] = tapeGradients((a) => a, [x]);
    const [quantized] = tapeGradients((a) => quantizeGradient(a, 6, context), [x]);
    const perSample = x.size / 2;
    for (let i = 0; i < x.size; i++) {
      const sample = plain!.subarray(i < perSample ? 0 : perSample, i < perSample ? perSample : x.size);
      const largest = Math.max(...sample.map(Math.abs));
      expect(Math.abs(quantized![i]! - plain![i]!)).toBeLessThanOrEqual((2 * largest) / 63 + 1e-6);
      expect(Math.abs((((quantized![i]! / (2 * largest) + 0.5) * 63) % 1) - 0.5)).toBeGreaterThan(0.49);
    }
  });
});

describe.each(availableBackends().map((backend) => [backend.name, backend] as const))(
  'binaryConv2d on %s',
  (_name, backend) => {
    test.each([
      ['zero', 1],
      ['one', 1],
      ['zero', 2],
    ] as const)(
      'equals the float convolution of the same signs: forward and both gradients (padding %s, stride %d)',
      (padding, stride) => {
        useKernels(backend);
        const quantizer = binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'exact' });
        const [x, w] = [randomTensor([2, 6, 5, 37], 1), randomTensor([3, 3, 37, 10], 2)];
        const binary = (a: Tensor, v: Tensor) =>
          binaryConv2d(signActivation(a, clippedSte, context), quantizer(v, context) as SignFilter, {
            pad: 1,
            stride,
            padding,
          });
        const simulated = (a: Tensor, v: Tensor) => {
          const signs = signActivation(a, clippedSte, context);
          const shape = padding === 'one' ? [2, 8, 7, 37] : a.shape;
          const padded = new Tensor(new Float32Array(shape.reduce((p, q) => p * q, 1)).fill(1), shape);
          if (padding === 'one') {
            for (let n = 0; n < 2; n++)
              for (let y = 0; y < 6; y++)
                padded.data.set(
                  signs.data.subarray((n * 6 + y) * 5 * 37, (n * 6 + y + 1) * 5 * 37),
                  ((n * 8 + y + 1) * 7 + 1) * 37,
                );
            return conv2d(padded, quantizer(v, context), { stride });
          }
          return conv2d(signs, quantizer(v, context), { pad: 1, stride });
        };
        const forward = (f: typeof binary) => inference(() => rounded(f(x, w).data, 3));
        expect(forward(binary)).toEqual(forward(simulated));
        const [ours, theirs] = [tapeGradients(binary, [x, w]), tapeGradients(simulated, [x, w])];
        const compared = padding === 'one' ? [1] : [0, 1];
        for (const n of compared)
          for (let i = 0; i < ours[n]!.length; i++) expect(Math.abs(ours[n]![i]! - theirs[n]![i]!)).toBeLessThan(1e-3);
        useKernels(availableBackends()[0]!);
      },
    );
  },
);

test('signs are kept as bits, not floats', () => {
  inference(() => {
    const signs = signActivation(randomTensor([1, 4, 4, 64], 1), clippedSte, context);
    expect(signs).toBeInstanceOf(SignTensor);
    expect(signs.storage).toBeNull();
    expect(signs.words.byteLength * 32).toBe(signs.size * 4);
  });
});

describe.each(availableBackends().map((backend) => [backend.name, backend] as const))(
  'planeConv2d on %s',
  (_name, backend) => {
    test.each([1, 2, 3])('%d bit-planes give the float convolution of the same levels, and its gradients', (bits) => {
      useKernels(backend);
      const quantizer = binarizeWeights({ scale: filterMean, estimator: straightThrough, scaleGradient: 'exact' });
      const [x, w] = [randomTensor([2, 6, 5, 21], 1), randomTensor([3, 3, 21, 7], 2)];
      const byPlanes = (a: Tensor, v: Tensor) =>
        planeConv2d(unitActivation(bits)(a, context) as PlaneTensor, quantizer(v, context) as SignFilter, {
          pad: 1,
          stride: 2,
        });
      const byFloats = (a: Tensor, v: Tensor) =>
        conv2d(unitActivation(bits)(a, context), quantizer(v, context), { pad: 1, stride: 2 });
      const [ours, theirs] = [byPlanes, byFloats].map((f) => inference(() => f(x, w).data.slice()));
      for (let i = 0; i < ours!.length; i++) expect(Math.abs(ours![i]! - theirs![i]!)).toBeLessThan(1e-4);
      const [gradients, expected] = [tapeGradients(byPlanes, [x, w]), tapeGradients(byFloats, [x, w])];
      for (const n of [0, 1])
        for (let i = 0; i < expected[n]!.length; i++)
          expect(Math.abs(gradients[n]![i]! - expected[n]![i]!)).toBeLessThan(1e-4 * (1 + Math.abs(expected[n]![i]!)));
      useKernels(availableBackends()[0]!);
    });
  },
);
