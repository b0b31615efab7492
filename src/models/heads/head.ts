import type { Tensor } from '../../tensor/tensor.ts';

/** What a network says of a batch, by name. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** The same as plain arrays, image after image: what a packed network gives too. */
export type Answers = Readonly<Record<string, Float32Array>>;

/** One number [1] that is learned from, and what it is the sum of. */
export interface Loss {
  readonly total: Tensor;
  readonly parts: Readonly<Record<string, Tensor>>;
}

/** What a run says of the loss; heads read what concerns them. */
export interface LossOptions {
  readonly kind: 'cross-entropy' | 'squared-hinge';
  /** In [0,1). */
  readonly labelSmoothing: number;
}

/** What a head has to know of the images that it is for. */
export interface HeadPlace {
  /** [H,W,C] of the input. */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
}

/**
 * The end of a network: what it says, how that is learned, and how it is read.
 *
 * T: what is known of a batch. N: what the loss compares outputs with. D: what an image's answer means.
 */
export interface Head<T = object, N = unknown, D = unknown> {
  readonly id: string;
  /** Names of what it says; a network of one output gives the first. */
  readonly outputs: readonly [string, ...string[]];
  /** What the outputs are compared with. */
  targets(truth: T, place: HeadPlace): N;
  /** @throws ShapeError when outputs are not of the targets' sizes */
  loss(outputs: Outputs, targets: N, options: LossOptions): Loss;
  /** What every image's answer means, on plain arrays. */
  decode(answers: Answers, place: HeadPlace): readonly D[];
}

/** A head as a value, checked by the compiler. */
export function defineHead<T, N, D>(head: Head<T, N, D>): Head<T, N, D> {
  return head;
}
