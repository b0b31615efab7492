import { describe, expect, test } from 'vitest';
import { randomTensor } from './gradients.testing.ts';
import { mean } from './ops/arithmetic.ts';
import { conv2d } from './ops/conv.ts';
import { maxPool } from './ops/pooling.ts';
import { reshape } from './ops/shape.ts';
import { floats } from './storage.ts';
import { backward, discard, inference, needsGradient, traced, trainingStep } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** Gradients of two convolutions, the first pooled, with `between` making the tensor that is pooled and perhaps discarded. */
function gradients(between: (y: Tensor) => Tensor, afterPool: (y: Tensor) => void): Float32Array[] {
  const [image, w] = [randomTensor([2, 8, 8, 3], 1), randomTensor([3, 3, 3, 3], 2)];
  image.requiresGrad = w.requiresGrad = true;
  return trainingStep(() => {
    const y = between(conv2d(image, w, { pad: 1 }));
    const pooled = maxPool(y, { window: 2 });
    afterPool(y);
    // takes the discarded array, if there is one, and holds it
    const witness = floats(y.size).fill(5);
    backward(mean(conv2d(conv2d(conv2d(pooled, w, { pad: 2 }), w, { pad: 2 }), w, { pad: 1 })));
    // were it released a second time, it would be handed out again
    for (let i = 0; i < 8; i++) floats(y.size).fill(0);
    expect(witness.every((value) => value === 5)).toBe(true);
    return [image.grad!.slice(), w.grad!.slice()];
  });
}

test('discarding the input of a max-pool changes no gradient, also where it is a view of another tensor', () => {
  const kept = gradients(
    (y) => y,
    () => {},
  );
  // twice: the second step runs on recycled storage
  for (let pass = 0; pass < 2; pass++) {
    expect(gradients((y) => y, discard)).toEqual(kept);
    expect(gradients((y) => reshape(y, y.shape), discard)).toEqual(kept);
  }
});

test('discard frees the values in a training step, and keeps them in a trace', () => {
  trainingStep(() => {
    const w = randomTensor([3, 3, 3, 3], 2);
    w.requiresGrad = true;
    const y = conv2d(randomTensor([1, 4, 4, 3], 1), w);
    discard(y);
    expect(y.storage).toBeNull();
  });
  traced(
    () => conv2d(randomTensor([1, 4, 4, 3], 1), randomTensor([3, 3, 3, 3], 2)),
    (y) => {
      discard(y);
      expect(y.storage).not.toBeNull();
    },
  );
});

describe('a body that goes on after it returned is refused, by type and when it runs', () => {
  const refusal = (caller: string) => new RegExp(`^${caller}: the body returned a promise.*not async$`);
  test.each([
    // @ts-expect-error an async body
    ['inference', () => inference(async () => 1)],
    // @ts-expect-error an async body
    ['trainingStep', () => trainingStep(async () => 1)],
    // @ts-expect-error an async body
    ['traced', () => traced(async () => 1, String)],
    // @ts-expect-error a body that fails later: its error is not left unhandled
    ['trainingStep', () => trainingStep(() => Promise.reject(new Error('later')))],
  ])('%s', (caller, run) => {
    expect(run).toThrow(refusal(caller));
    const x = randomTensor([1], 1);
    x.requiresGrad = true;
    expect(needsGradient([x])).toBe(false);
  });

  test('bodies that return anything else, nothing, or never are taken', () => {
    expect([inference(() => null), trainingStep(() => undefined), inference(() => 'x')]).toEqual([
      null,
      undefined,
      'x',
    ]);
    const thrown = () =>
      trainingStep(() => {
        throw new Error('own');
      });
    expect(thrown).toThrow('own');
  });
});
