import { expect, test } from 'vitest';
import { interact } from '../exact/interaction.ts';
import { buildNetwork } from '../models/table.ts';
import { BinaryConv2d } from '../nn/binary-layers.ts';
import { pack } from '../pack/pack.ts';
import { loadPackedModel } from '../runtime/packed-model.ts';
import { randomTensor } from '../tensor/gradients.testing.ts';
import { channelInteraction } from '../tensor/ops/interaction.ts';
import { inference, trainingStep } from '../tensor/tape.ts';
import { ciBcnn, interactionOf } from './ci-bcnn.ts';
import { gradientsOf, pixel } from './equations.testing.ts';

const after = (o: number[], ...edges: [number, number, 1 | -1][]) => {
  const y = Float32Array.from(o);
  interact(y, o.length, {
    edges: edges.map(([from, to, direction]) => ({ from, to, direction })),
    sureFrom: 200,
    step: 100,
  });
  return [...y];
};

test('sure dot products correct others, one edge after the other', () => {
  expect(after([250, 10, -300], [0, 1, 1], [2, 1, 1])).toEqual([250, 10, -300]);
  expect(after([250, 10, -300], [0, 1, -1])).toEqual([250, -90, -300]);
  expect(after([250, 10, -300], [2, 1, -1])).toEqual([250, 110, -300]);
  expect(after([200, 150, 0], [0, 1, 1], [1, 2, 1])).toEqual([200, 250, 100]);
  expect(after([199, 0], [0, 1, 1])).toEqual([199, 0]);
  expect(interactionOf(Float32Array.of(0, 1, 1, 3, 4, 0), 1600)).toEqual({
    edges: [{ from: 0, to: 1, direction: 1 }],
    sureFrom: 100,
    step: 50,
  });
});

test('the gradient passes to the corrected map only as itself', () => {
  const x = pixel([9, 1], true);
  const interaction = { edges: [{ from: 0, to: 1, direction: 1 as const }], sureFrom: 5, step: 2 };
  expect(gradientsOf({ x }, () => channelInteraction(x, interaction)).x).toEqual([1, 1]);
});

function warmed() {
  const network = buildNetwork({
    model: 'vgg-small',
    method: 'ci-bcnn',
    inputShape: [8, 8, 3],
    classes: 4,
    width: 0.125,
    seed: 3,
  });
  for (let i = 0; i < 3; i++) trainingStep(() => network.forward(randomTensor([8, 8, 8, 3], i + 1)));
  const layers = network.modules().flatMap(({ value }) => (value instanceof BinaryConv2d ? [value] : []));
  return { network, layers };
}

test('edges pack to the same logits, bit for bit, and change them', () => {
  const { network, layers } = warmed();
  network.setTraining(false);
  const images = randomTensor([5, 8, 8, 3], 9);
  const logits = () => inference(() => network.forward(images).data.slice());
  const without = logits();
  for (const { kept } of layers) kept['edges']!.data.set([0, 1, 1, 2, 3, -1]);
  const expected = logits();
  expect(expected).not.toEqual(without);
  const { bytes, model } = pack(network, randomTensor([4, 8, 8, 3], 5), {
    classes: ['a', 'b', 'c', 'd'],
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  expect(model.graph.nodes.filter(({ op }) => op === 'interact')).toHaveLength(layers.length);
  expect(loadPackedModel(bytes).run(images.data)).toEqual(expected);
});

test('P: an edge stays exactly when the loss falls by more than 0.003', () => {
  const { layers } = warmed();
  const layer = layers[0]!;
  const edges = () => interactionOf(layer.kept['edges']!.data, 1).edges.length;
  const run = (losses: number[]) => {
    let asked = 0;
    const lossNow = () => losses[asked++ % 2]!;
    for (let step = 8; step <= 400; step += 8)
      ciBcnn.update!.beforeStep!([layer], { progress: 0.5, epoch: 1, rate: 1, step, lossNow });
    return edges();
  };
  expect(run([1, 0.998])).toBe(0);
  const found = run([1, 0.99]);
  expect(found).toBeGreaterThan(layer.weight.channels / 2);
  // an edge that only costs goes, none comes
  expect(run([1, 1])).toBeLessThan(found);
  const kept = edges();
  ciBcnn.update!.beforeStep!([layer], { progress: 0.95, epoch: 1, rate: 1, step: 8, lossNow: () => 0 });
  expect(edges()).toBe(kept);
});
