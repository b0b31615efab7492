import { BinarizeContext } from '../binarize/context.ts';
import type { LayerOwn } from '../binarize/quantizer.ts';
import type { ActivationSum } from '../binarize/terms.ts';
import { Random } from '../core/random.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { binaryProduct, effectiveWeights } from '../nn/product.ts';
import { multiply, sum } from '../tensor/ops/arithmetic.ts';
import { backward, inference, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Method } from './method.ts';

/** A method's quantizers at work on small literal numbers: one layer of 1x1 filters over one pixel. */
export class Bench {
  readonly context = new BinarizeContext(1);
  readonly layer: BinaryConv2d;
  private readonly method: Method;

  /** @param weights one row of numbers per input channel, one column per filter */
  constructor(method: Method, weights: readonly (readonly number[])[], values: Record<string, number> = {}) {
    this.method = method;
    this.context.values = values;
    const [inChannels, outChannels] = [weights.length, weights[0]!.length];
    this.layer = new BinaryConv2d(
      { inChannels, outChannels, kernel: 1 },
      {
        weight: method.weight,
        activation: method.activation,
        ...(method.output ? { output: method.output } : {}),
        ...(method.latentShape ? { latentShape: method.latentShape } : {}),
        activationScale: false,
        latent: 'he',
        context: this.context,
      },
      new Random(1),
    );
    this.layer.weight.data.set(weights.flat());
    inference(() => this.layer.forward(pixel(new Array<number>(inChannels).fill(0))));
  }

  get own(): LayerOwn {
    const kept = Object.entries(this.layer.kept).map(([name, { data }]) => [name, data]);
    return { learned: this.layer.learned, kept: Object.fromEntries(kept) };
  }

  /** The weights that the layer multiplies by. */
  effective(): number[] {
    return inference(() => [...effectiveWeights(this.method.weight(this.layer.weight, this.context, this.own))]);
  }

  /** dL/dw, and dL/d of everything learned, for dL/d(effective weights) = g. */
  weightGradients(g: readonly number[]): Record<string, number[]> {
    const tensors = { weight: this.layer.weight, ...this.layer.learned };
    return gradientsOf(tensors, () => {
      const filter = this.method.weight(this.layer.weight, this.context, this.own);
      // a 1x1 convolution of pixels that are rows of the identity hands out the effective weights themselves
      const rows = this.layer.options.inChannels;
      const identity = Float32Array.from({ length: rows * rows }, (_, i) => Number(i % (rows + 1) === 0));
      const product = binaryProduct(new Tensor(identity, [rows, 1, 1, rows]), filter, {});
      return multiply(product, new Tensor(Float32Array.from(g), product.shape));
    });
  }

  /** Values of the quantized activations. */
  activated(x: readonly number[]): number[] {
    return inference(() => {
      const y = this.method.activation(pixel(x), this.context, this.own);
      return [...(y as Tensor).data];
    });
  }

  /** dL/dx, and dL/d of everything learned, for dL/dy = 1. */
  activationSlopes(x: readonly number[]): Record<string, number[]> {
    const input = pixel(x, true);
    return gradientsOf({ x: input, ...this.layer.learned }, () => {
      const y = this.method.activation(input, this.context, this.own);
      if ('terms' in y)
        throw new Error(`${this.method.id}: its activations are a sum of ${(y as ActivationSum).terms.length} terms`);
      return y as Tensor;
    });
  }
}

/** One pixel of as many channels as numbers. */
export const pixel = (values: readonly number[], requiresGrad = false) =>
  new Tensor(Float32Array.from(values), [1, 1, 1, values.length], requiresGrad);

/** Gradients of the sum of `f`, by name, rounded for comparison with printed figures. */
export function gradientsOf(tensors: Record<string, Tensor>, f: () => Tensor): Record<string, number[]> {
  return trainingStep(() => {
    backward(sum(f()));
    const gradients = Object.entries(tensors).map(([name, tensor]) => {
      const gradient = tensor.grad ? rounded(tensor.grad) : new Array<number>(tensor.size).fill(0);
      tensor.grad = null;
      return [name, gradient] as const;
    });
    return Object.fromEntries(gradients);
  });
}

export const rounded = (values: Iterable<number>, digits = 4): number[] =>
  Array.from(values, (value) => Number(value.toFixed(digits)) + 0);
