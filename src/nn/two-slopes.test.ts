import { expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { multiply, sum } from '../tensor/ops/arithmetic.ts';
import { backward, trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { TwoSlopes } from './layers.ts';

test("Maxout is the authors' module: pos relu(x) - neg relu(-x), each slope learned for itself", () => {
  const channels = 5;
  const layer = new TwoSlopes(channels);
  expect([layer.below.data[0], layer.above.data[0]]).toEqual([0.25, 1]);
  // negative ones and 0 too, which a gain times a slope does not reach
  layer.below.data.set([0.25, -0.5, 1.5, 0, 0.1]);
  layer.above.data.set([1, -0.75, 0, 2, 0.5]);
  const x = new Tensor(randomTensor([4, 3, 3, channels], 5).data, [4, 3, 3, channels], true);
  const weights = new Float32Array(x.size);
  new Random(2).fillNormal(weights, 0, 1);
  const [neg, pos] = [layer.below.data, layer.above.data];
  const [dneg, dpos] = [new Float64Array(channels), new Float64Array(channels)];
  trainingStep(() => {
    const y = layer.forward(x);
    const outputs = y.data.slice();
    backward(sum(multiply(y, new Tensor(weights, x.shape))));
    for (let i = 0; i < x.size; i++) {
      const [c, value, g] = [i % channels, x.data[i]!, weights[i]!];
      expect(outputs[i]).toBe(
        Math.fround(Math.fround(pos[c]! * Math.max(value, 0)) - Math.fround(neg[c]! * Math.max(-value, 0))),
      );
      expect(x.grad![i]).toBeCloseTo(g * (value > 0 ? pos[c]! : neg[c]!), 6);
      dpos[c]! += g * Math.max(value, 0);
      dneg[c]! -= g * Math.max(-value, 0);
    }
  });
  for (let c = 0; c < channels; c++) {
    expect(layer.above.grad![c]).toBeCloseTo(dpos[c]!, 4);
    expect(layer.below.grad![c]).toBeCloseTo(dneg[c]!, 4);
  }
});
