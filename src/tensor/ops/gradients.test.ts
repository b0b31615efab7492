import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { availableBackends, useKernels } from '../../backend/select.ts';
import { wordsFor } from '../../core/bits.ts';
import { buildNetwork } from '../../models/table.ts';
import { checkGradients, randomTensor } from '../gradients.testing.ts';
import { pool } from '../storage.ts';
import { backward, inference, trainingStep } from '../tape.ts';
import { SignFilter, Tensor } from '../tensor.ts';
import { hardtanh, prelu, relu, sigmoid, softsign, tanh } from './activation.ts';
import { add, channelAbsMean, mean, multiply, pixelScale, scale, sum } from './arithmetic.ts';
import { channelScale, channelShift } from './channel.ts';
import { conv2d, dense } from './conv.ts';
import { softmaxCrossEntropy, squaredHinge } from './loss.ts';
import { batchNorm, channelAffine } from './normalise.ts';
import { avgPool, globalAvgPool, maxPool } from './pooling.ts';
import { addOuter, outer, positionScale, positionShift } from './position.ts';
import { channelGate, sampleAbsMean, sampleScale } from './sample.ts';
import { concat, flatten, sliceChannels, subsamplePad } from './shape.ts';
import { signConv2d } from './sign-conv.ts';

/** Values away from the kinks at 0 and +-1, which a difference quotient must not straddle. */
function awayFromKinks(shape: readonly number[], seed: number): Tensor {
  const tensor = randomTensor(shape, seed);
  for (let i = 0; i < tensor.size; i++) {
    const v = tensor.data[i]!;
    for (const kink of [0, 1, -1]) if (Math.abs(v - kink) < 0.05) tensor.data[i] = kink + 0.1;
  }
  return tensor;
}

describe.each(availableBackends().map((backend) => [backend.name, backend] as const))('%s', (_name, backend) => {
  beforeAll(() => useKernels(backend));
  afterAll(() => useKernels(availableBackends()[0]!));
  const x = () => awayFromKinks([2, 5, 6, 4], 1);

  test.each([
    ['plain', {}, [3, 3, 4, 6]],
    ['padded, stride 2', { pad: 1, stride: 2 }, [3, 3, 4, 5]],
    ['dilated', { pad: 2, dilation: 2 }, [3, 3, 4, 3]],
    ['grouped', { pad: 1, groups: 2 }, [3, 3, 2, 6]],
    ['depthwise, stride 2', { pad: 1, stride: 2, groups: 4 }, [3, 3, 1, 4]],
    ['1x1', {}, [1, 1, 4, 9]],
  ] as const)('conv2d %s', (_kind, options, filter) =>
    checkGradients((a, w) => conv2d(a, w, options), [x(), randomTensor(filter, 2)]),
  );

  test.each([
    ['plain', {}, 6],
    ['padded', { pad: 1 }, 9],
    ['stride 2', { pad: 1, stride: 2 }, 5],
    ['grouped', { pad: 1, groups: 2 }, 6],
  ] as const)('signConv2d %s, and equal to the float product', (_kind, options, outputs) => {
    const shape = [3, 3, 'groups' in options ? 2 : 4, outputs] as const;
    const words = new Uint32Array(wordsFor(9 * outputs, shape[2]));
    backend.packFilterSigns(randomTensor(shape, 2).data, words, 9, shape[2], outputs);
    const filter = new SignFilter(words, randomTensor([outputs], 3).data, shape);
    checkGradients((a) => signConv2d(a, filter, options), [x()]);
    const [ours, theirs] = [signConv2d(x(), filter, options), conv2d(x(), new Tensor(filter.data, shape), options)];
    for (const [i, value] of ours.data.entries()) expect(value).toBeCloseTo(theirs.data[i]!, 4);
  });

  test('dense with bias', () =>
    checkGradients(
      (a, w, b) => dense(a, w, b),
      [randomTensor([3, 7], 1), randomTensor([7, 5], 2), randomTensor([5], 3)],
    ));

  test('batch-norm with residual and clamp', () => {
    const inputs = [x(), randomTensor([4], 2), randomTensor([4], 3), randomTensor([2, 5, 6, 4], 4)];
    checkGradients((a, gamma, beta, residual) => batchNorm(a, gamma, beta, 1e-5, () => {}, { residual }), inputs);
    checkGradients(
      (a, gamma, beta) => batchNorm(a, gamma, beta, 1e-5, () => {}, { clamp: [-100, 100] }),
      inputs.slice(0, 3),
    );
  });

  test('affine with residual and hardtanh', () => {
    const [gain, shift] = [randomTensor([4], 5).data, randomTensor([4], 6).data];
    checkGradients((a, residual) => channelAffine(a, gain, shift, { residual }), [x(), randomTensor([2, 5, 6, 4], 4)]);
    checkGradients(
      (a) => channelAffine(a, new Float32Array(4).fill(1), new Float32Array(4), { clamp: [-1, 1] }),
      [x()],
    );
  });

  test.each([
    ['max', (a: Tensor) => maxPool(a, { window: 2 })],
    ['max, overlapping and padded', (a: Tensor) => maxPool(a, { window: 3, stride: 2, pad: 1 })],
    ['average', (a: Tensor) => avgPool(a, { window: 2, stride: 1 })],
    ['average, padded', (a: Tensor) => avgPool(a, { window: 3, stride: 2, pad: 1 })],
    ['global average', globalAvgPool],
  ] as const)('%s pooling', (_kind, f) => checkGradients(f, [x()], 1e-3));

  test.each([
    ['relu', relu],
    ['hardtanh', hardtanh],
    ['sigmoid', sigmoid],
    ['tanh', tanh],
    ['softsign', softsign],
    ['scale', (a: Tensor) => scale(a, -2.5)],
    ['sum', sum],
    ['mean', mean],
    ['flatten', flatten],
    ['sliceChannels', (a: Tensor) => sliceChannels(a, 1, 3)],
    ['subsamplePad', (a: Tensor) => subsamplePad(a, 2, 9)],
  ] as const)('%s', (_kind, f) => checkGradients(f, [x()]));

  test('channelAbsMean gives the mean of |x| and lets no gradient through', () => {
    const [signs, values] = [x(), awayFromKinks([2, 5, 6, 4], 8)];
    for (const tensor of [signs, values]) tensor.requiresGrad = true;
    trainingStep(() => {
      const means = channelAbsMean(values);
      expect(means.data[0]).toBeCloseTo([...values.data.subarray(0, 4)].reduce((a, v) => a + Math.abs(v), 0) / 4, 6);
      backward(sum(pixelScale(signs, means)));
      expect(values.grad).toBeNull();
      expect(signs.grad![1]).toBe(means.data[0]);
    });
  });

  test('prelu, add, multiply, pixelScale, concat', () => {
    const other = awayFromKinks([2, 5, 6, 4], 8);
    checkGradients(prelu, [x(), randomTensor([4], 2)]);
    checkGradients(add, [x(), other]);
    checkGradients(multiply, [x(), other]);
    checkGradients(pixelScale, [x(), randomTensor([2, 5, 6, 1], 3)]);
    checkGradients((a, b) => concat([a, b]), [x(), randomTensor([2, 5, 6, 3], 9)]);
  });

  test('factors per channel, image, position: shift, scale, sampleScale, channelGate, positionScale, outer', () => {
    checkGradients(channelShift, [x(), randomTensor([4], 2)]);
    checkGradients(channelScale, [x(), randomTensor([4], 2)]);
    checkGradients(sampleScale, [x(), randomTensor([2], 3)]);
    checkGradients(sampleScale, [x(), randomTensor([1], 3)]);
    checkGradients(sampleAbsMean, [x()]);
    checkGradients(channelGate, [x(), randomTensor([2, 4], 3)]);
    checkGradients(positionScale, [x(), randomTensor([5, 6, 4], 4)]);
    checkGradients(positionScale, [x(), randomTensor([5, 6, 1], 4)]);
    checkGradients(positionShift, [x(), randomTensor([1, 5, 6, 4], 4)]);
    checkGradients(addOuter, [x(), randomTensor([2, 5, 6, 1], 4), randomTensor([4], 5)]);
    checkGradients(outer, [randomTensor([5], 1), randomTensor([3], 2)]);
    expect(() => channelShift(x(), randomTensor([5], 1))).toThrow(/\[5\] is not one value per channel/);
    expect(() => positionScale(x(), randomTensor([5, 5, 1], 1))).toThrow(/does not cover/);
  });

  test('an input used twice gets both gradients', () => {
    checkGradients((a) => add(a, a), [x()]);
    checkGradients((a) => multiply(a, a), [x()]);
  });

  test('losses', () => {
    const labels = [2, 0, 1, 4];
    checkGradients((z) => softmaxCrossEntropy(z, labels), [randomTensor([4, 5], 1)]);
    checkGradients((z) => softmaxCrossEntropy(z, labels, 0.1), [randomTensor([4, 5], 1)]);
    checkGradients((z) => squaredHinge(z, labels), [randomTensor([4, 5], 1)]);
    const mixed = { labels: [1, 1, 0, 4], shares: [0.25, 1, 0, 0.7] };
    checkGradients((z) => softmaxCrossEntropy(z, labels, 0.1, mixed), [randomTensor([4, 5], 1)]);
    checkGradients((z) => squaredHinge(z, labels, mixed), [randomTensor([4, 5], 1)]);
  });
});

test('softmax cross-entropy of [1,1,0] against class 0 is log(2 + 1/e)', () => {
  const loss = inference(() => softmaxCrossEntropy(new Tensor(Float32Array.of(1, 1, 0), [1, 3]), [0]).data[0]);
  expect(loss).toBeCloseTo(Math.log(2 + Math.exp(-1)), 6);
});

test('a label outside the classes is named', () => {
  expect(() => softmaxCrossEntropy(new Tensor(new Float32Array(6), [2, 3]), [0, 3])).toThrow(/label 3 of sample 1/);
});

test.each(['ir-net', 'bnn', 'xnor-net', 'dorefa-w1a2', 'float'])(
  '%s: after the first step nothing is allocated, of arrays or of memory',
  (method) => {
    const network = buildNetwork({ model: 'resnet20', method, inputShape: [8, 8, 3], classes: 4, width: 1, seed: 1 });
    const images = randomTensor([8, 8, 8, 3], 3).data;
    const step = () =>
      trainingStep(() => {
        backward(softmaxCrossEntropy(network.forward(new Tensor(images, [8, 8, 8, 3])), [0, 1, 2, 3, 0, 1, 2, 3]));
        for (const { value } of network.parameters()) value.grad = null;
      });
    step();
    step();
    const [arrays, bytes] = [pool.created, process.memoryUsage().arrayBuffers];
    for (let i = 0; i < 5; i++) step();
    expect(pool.created).toBe(arrays);
    // geometries and the constants of layers are small arrays outside the pool; a forgotten activation would be far larger
    expect(process.memoryUsage().arrayBuffers - bytes).toBeLessThan(500_000);
  },
);

test('backward outside a training step is refused', () => {
  expect(() => backward(new Tensor(new Float32Array(1), [1]))).toThrow(/inside trainingStep/);
});
