import { expect, test } from 'vitest';
import { referenceKernels } from '../backend/reference/index.ts';
import { BinarizeContext } from '../binarize/context.ts';
import { errorDecay } from '../binarize/estimators.ts';
import { irNet, irNetResnet20 } from './ir-net.ts';

const context = new BinarizeContext(1);

/** Slopes of the estimator at x = 0, 0.5, 1 after this share of the training. */
function slopes(method: typeof irNet, progress: number): number[] {
  context.values = method.schedule!({ progress, epoch: 0 });
  const dx = new Float32Array(3);
  const ones = new Float32Array(3).fill(1);
  referenceKernels.unaryBackward(
    errorDecay.slope!,
    Float32Array.of(0, 0.5, 1),
    ones,
    dx,
    ...errorDecay.parameters(context),
  );
  return [...dx];
}

// Qin et al. 2020, eq. 8-9: k t (1 - tanh(t x)^2), k = max(1/t, 1)
test.each([
  [irNet, 0, [1, 0.9975, 0.9901]],
  [irNet, 0.5, [1, 0.7864, 0.42]],
  [irNet, 1, [10, 0.0018, 0]],
  [irNetResnet20, 0, [1, 1, 1]],
  [irNetResnet20, 0.75, [1, 0.7864, 0.42]],
  [irNetResnet20, 1, [10, 0.0018, 0]],
] as const)('the error decay estimator narrows as published', (method, progress, expected) => {
  slopes(method, progress).forEach((slope, i) => {
    expect(slope).toBeCloseTo(expected[i]!, 4);
  });
});
