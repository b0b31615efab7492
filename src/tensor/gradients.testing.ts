import { expect } from 'vitest';
import { Random } from '../core/random.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { multiply, sum } from './ops/arithmetic.ts';
import { backward, inference, trainingStep } from './tape.ts';
import { Tensor } from './tensor.ts';

/** A leaf with random normal values. */
export function randomTensor(shape: Shape, seed: number, scale = 1): Tensor {
  const values = new Float32Array(sizeOf(shape));
  new Random(seed).fillNormal(values, 0, scale);
  return new Tensor(values, shape, true);
}

/** Gradients of sum(f(inputs)*weights) with respect to every input, by the tape. */
export function tapeGradients(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): Float32Array[] {
  return trainingStep(() => {
    const y = f(...inputs);
    const weights = new Tensor(randomTensor(y.shape, 99).data, y.shape);
    backward(sum(multiply(y, weights)));
    const gradients = inputs.map((input) => input.grad?.slice() ?? new Float32Array(input.size));
    for (const input of inputs) input.grad = null;
    return gradients;
  });
}

/**
 * Compares the tape with central differences of the same scalar, at a few elements of every input.
 *
 * @param step small for smooth functions; kinks within it would falsify the difference
 */
export function checkGradients(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
  step = 1e-2,
  tolerance = 2e-2,
): void {
  const gradients = tapeGradients(f, inputs);
  const scalar = () =>
    inference(() => {
      const y = f(...inputs);
      const weights = randomTensor(y.shape, 99).data;
      let total = 0;
      for (let i = 0; i < y.size; i++) total += y.data[i]! * weights[i]!;
      return total;
    });
  const random = new Random(7);
  for (const [n, input] of inputs.entries()) {
    const scale = Math.max(0.1, ...gradients[n]!.map(Math.abs));
    for (let check = 0; check < Math.min(12, input.size); check++) {
      const i = random.integer(input.size);
      const kept = input.data[i]!;
      input.data[i] = kept + step;
      const above = scalar();
      input.data[i] = kept - step;
      const below = scalar();
      input.data[i] = kept;
      const numeric = (above - below) / (2 * step);
      expect(
        Math.abs(numeric - gradients[n]![i]!) / scale,
        `input ${n}, element ${i}: tape ${gradients[n]![i]}, difference ${numeric}`,
      ).toBeLessThan(tolerance);
    }
  }
}
