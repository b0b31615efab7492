import { expect, test } from 'vitest';
import { methods } from '../methods/table.ts';
import { binaryLayersOf, withProbe } from '../nn/binary-layer.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { inference } from '../tensor/tape.ts';
import { Network } from './network.ts';
import { buildNetwork, models } from './table.ts';

const shapeOf = (side: number, longer = 0) => [side, side + longer, 3] as [number, number, number];

/** Of networks without batch-norm, with branches of other dilations, with binary ends, and the plainest. */
const arrangements = ['xnor-net-pp', 'group-net-bpac', 'bnn', 'ab-bnn'];

test.each(models.flatMap(({ id }) => arrangements.map((method) => [id, method] as const)))(
  '%s by %s: what a layer is told of its maps is what comes in, of longish images too',
  (model, method) => {
    const { smallestSide } = models.find(({ id }) => id === model)!;
    const inputShape = shapeOf(Math.max(8, smallestSide), 5);
    const network = buildNetwork({ model, method, inputShape, classes: 3, width: 0.0625, seed: 1 });
    network.setTraining(false);
    const seen = new Set<unknown>();
    inference(() =>
      withProbe(
        ({ layer, input }) => {
          seen.add(layer);
          expect(layer.options.size).toEqual(input.shape.slice(1, 3));
        },
        () => network.forward(randomTensor([1, ...inputShape], 2)),
      ),
    );
    expect(seen.size).toBe(binaryLayersOf(network).length);
  },
);

test('a network has all parameters when it is built, without a forward pass', () => {
  const { forward } = Network.prototype;
  Network.prototype.forward = () => {
    throw new Error('a forward pass');
  };
  try {
    for (const { id } of methods) {
      const network = buildNetwork({
        model: 'resnet20',
        method: id,
        inputShape: shapeOf(8),
        classes: 3,
        width: 0.25,
        seed: 1,
      });
      const names = () => [...network.parameters(), ...network.stateArrays()].map(({ name }) => name);
      const born = names();
      inference(() => network.body.forward(randomTensor([1, 8, 8, 3], 2)));
      expect(names(), id).toEqual(born);
    }
  } finally {
    Network.prototype.forward = forward;
  }
});
