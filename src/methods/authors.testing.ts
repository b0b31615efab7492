/**
 * Literal inputs that authors' code was run on under PyTorch 2.13 (one 1x1 convolution of four channels to three): figures in tests that
 * say "the authors' code" are what it gave.
 */
export const authors: Readonly<Record<'gradient' | 'scale' | 'input', readonly number[]>> & {
  readonly weights: readonly (readonly number[])[];
} = {
  /** [input channel][filter] */
  weights: [
    [0.5, 3, -0.1],
    [-0.2, -1, 0.4],
    [0.1, 2, 0.9],
    [0.9, 0, -2],
  ],
  /** dL/d(effective weights), in the same order. */
  gradient: [1, -2, 0.5, 3, 1, -1, 0.25, 2, 4, -0.5, 0.75, 1.5],
  scale: [0.5, 2, 3],
  /** One pixel. */
  input: [0.3, -0.2, 1.5, 0.9],
};
