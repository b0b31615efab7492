import type { Random } from '../../core/random.ts';
import type { Normalised } from '../../data/batches.ts';
import type { Network } from '../../models/network.ts';
import { softmaxCrossEntropy } from '../../tensor/ops/loss.ts';
import { backward, trainingStep } from '../../tensor/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';

/** A labelled batch of normalised images [N,H,W,C]. */
export interface Labelled {
  readonly images: Float32Array;
  readonly labels: ArrayLike<number>;
}

/** Strengths are in units of the pixel range 0 to 1. Gives new images of the same range, normalised as the given ones. */
export type Attack = (network: Network, batch: Labelled, pixels: PixelRange, strength: number) => Float32Array;

/** The pixel range 0 to 1 in normalised values, per channel. */
export class PixelRange {
  readonly shape: readonly number[];
  private readonly low: readonly number[];
  private readonly high: readonly number[];
  private readonly unit: readonly number[];

  constructor({ shape, mean, std }: Normalised) {
    this.shape = shape;
    this.low = mean.map((m, c) => -m / std[c]!);
    this.high = mean.map((m, c) => (1 - m) / std[c]!);
    this.unit = std.map((s) => 1 / s);
  }

  /** `images` moved by `strength` times `direction`, within the range. */
  moved(images: Float32Array, direction: (i: number) => number, strength: number): Float32Array {
    const channels = this.unit.length;
    return images.map((value, i) => {
      const c = i % channels;
      return Math.min(this.high[c]!, Math.max(this.low[c]!, value + strength * this.unit[c]! * direction(i)));
    });
  }

  /** Brought back to within `strength` of `origin`. */
  near(images: Float32Array, origin: Float32Array, strength: number): Float32Array {
    const channels = this.unit.length;
    return images.map((value, i) => {
      const reach = strength * this.unit[i % channels]!;
      return Math.min(origin[i]! + reach, Math.max(origin[i]! - reach, value));
    });
  }
}

/** dL/dx of the cross-entropy, through the estimators of the method where a sign has no slope. */
export function inputGradient(network: Network, { images, labels }: Labelled): Float32Array {
  network.setTraining(false);
  return trainingStep(() => {
    const x = new Tensor(images.slice(), [labels.length, ...network.config.inputShape]);
    x.requiresGrad = true;
    backward(softmaxCrossEntropy(network.forward(x), labels));
    const gradient = x.grad!.slice();
    for (const { value } of network.parameters()) value.grad = null;
    return gradient;
  });
}

/** Normal noise of this standard deviation. */
export const gaussianNoise =
  (random: Random): Attack =>
  (_network, { images }, pixels, strength) =>
    pixels.moved(images, () => random.normal(), strength);

/** One step along the sign of the gradient (Goodfellow 2015, fast gradient sign method). */
export const fgsm: Attack = (network, batch, pixels, strength) => {
  const gradient = inputGradient(network, batch);
  return pixels.moved(batch.images, (i) => Math.sign(gradient[i]!), strength);
};

/** From a random start, `steps` steps of 2.5 strength/steps along the sign, kept within the strength (Madry 2018). */
export const pgd =
  (random: Random, steps = 10): Attack =>
  (network, { images, labels }, pixels, strength) => {
    let moved = pixels.moved(images, () => random.uniform(-1, 1), strength);
    for (let i = 0; i < steps; i++) {
      const gradient = inputGradient(network, { images: moved, labels });
      const further = pixels.moved(moved, (at) => Math.sign(gradient[at]!), (2.5 * strength) / steps);
      moved = pixels.near(further, images, strength);
    }
    return moved;
  };
