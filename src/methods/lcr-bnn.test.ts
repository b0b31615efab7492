import { describe, expect, test } from 'vitest';
import { BinarizeContext } from '../binarize/context.ts';
import type { LayerProbe } from '../nn/binary-layer.ts';
import { checkGradients, randomTensor } from '../tensor/gradients.testing.ts';
import { retentionNorm } from '../tensor/ops/retention.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { gradientsOf, rounded } from './equations.testing.ts';
import { lipschitz } from './lcr-bnn.ts';

/** [N,H,W,C] from what PyTorch calls arange([N,C,H,W]). */
function channelsLast(n: number, c: number, side: number, value: (i: number) => number): Tensor {
  const data = Float32Array.from({ length: n * c * side * side }, (_, to) => {
    const [channel, pixel, image] = [to % c, Math.floor(to / c) % (side * side), Math.floor(to / c / side / side)];
    return value((image * c + channel) * side * side + pixel);
  });
  return new Tensor(data, [n, side, side, c], true);
}

describe('LCR-BNN', () => {
  const entering = channelsLast(2, 2, 4, (i) => Math.sin(0.37 * i));
  const leaving = channelsLast(2, 3, 2, (i) => Math.cos(0.73 * i));

  test("the norm of a retention matrix by one step of the power iteration, with its gradients (the authors' code)", () => {
    expect(rounded(inference(() => retentionNorm(entering, leaving).data.slice()))).toEqual(
      rounded([0.891285, 0.354003]),
    );
    const { a, b } = gradientsOf({ a: entering, b: leaving }, () => retentionNorm(entering, leaving));
    expect(a!.slice(0, 8)).toEqual(
      rounded([0.090059, 0.084182, 0.090059, 0.084182, 0.079358, 0.07418, 0.079358, 0.07418]),
    );
    expect(b!.slice(0, 8)).toEqual(
      rounded([0.1323, -0.119151, 0.100175, 0.193535, -0.1743, 0.146541, -0.104456, 0.094075]),
    );
  });

  test('gradients by finite differences, also where the side halves unevenly', () => {
    checkGradients(retentionNorm, [randomTensor([2, 3, 3, 2], 1), randomTensor([2, 3, 3, 4], 2)], 1e-2);
    checkGradients(retentionNorm, [randomTensor([1, 7, 7, 2], 3), randomTensor([1, 4, 4, 3], 4)], 1e-2);
    expect(() => retentionNorm(randomTensor([1, 2, 2, 2], 1), randomTensor([1, 3, 3, 2], 2))).toThrow(
      /\[1,2,2,2\] and \[1,3,3,2\]/,
    );
  });

  test('P: the loss is 0 when layers stretch as the float ones do; the last pair of layers weighs the most', () => {
    const inputs = [1, 2, 3].map((seed) => randomTensor([2, 4, 4, 3], seed));
    const norms = inference(() => [0, 1].map((k) => retentionNorm(inputs[k]!, inputs[k + 1]!).data.slice()));
    const lossFor = (targets: readonly Float32Array[]) =>
      inference(
        () =>
          lipschitz({
            logits: randomTensor([2, 5], 9),
            labels: [0, 1],
            layers: inputs.map((input) => ({ input }) as unknown as LayerProbe),
            context: new BinarizeContext(1),
            teacher: { logits: randomTensor([2, 5], 8), layers: [], features: targets.map((t) => new Tensor(t, [2])) },
          }).data[0]!,
      );
    expect(lossFor(norms)).toBe(0);
    const off = (norm: Float32Array) => norm.map((value) => value + 1);
    // strength 8/10,000 over two images, and a distance of 1
    expect(lossFor([off(norms[0]!), norms[1]!])).toBeCloseTo(8e-4 / 2 / 4, 8);
    expect(lossFor([norms[0]!, off(norms[1]!)])).toBeCloseTo(8e-4 / 2 / 2, 8);
  });
});
