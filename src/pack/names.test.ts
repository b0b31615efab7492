import { expect, test } from 'vitest';
import { productLayer } from '../models/layer-names.ts';
import { weightLayers } from '../models/policy.ts';
import { buildNetwork, models } from '../models/table.ts';
import { Tensor } from '../tensor/tensor.ts';
import { pack } from './pack.ts';

const methods = ['bnn', 'xnor-net', 'abc-net', 'ada-bin', 'dorefa-w1a2', 'group-net', 'float'];

function packedGraph(model: string, method: string, inputShape: readonly [number, number, number]) {
  const network = buildNetwork({ model, method, inputShape, classes: 3, width: 1 / 16, seed: 1 });
  const [height, width, channels] = inputShape;
  const image = new Tensor(new Float32Array(height * width * channels).fill(0.5), [1, ...inputShape]);
  const [mean, std] = [new Array<number>(channels).fill(0), new Array<number>(channels).fill(1)];
  return { network, graph: pack(network, image, { classes: ['a', 'b', 'c'], mean, std }).model.graph };
}

test.each(models.map((model, i) => ({ ...model, method: methods[i % methods.length]! })))(
  '$id by $method: what a policy calls a layer, the packed network calls it too',
  ({ id, method, inputShape, smallestSide }) => {
    const { network, graph } = packedGraph(id, method, [smallestSide, smallestSide, inputShape[2]]);
    const names = graph.nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const layers = weightLayers(network).map(({ name }) => name);
    const products = graph.nodes.flatMap((node) =>
      'kernel' in node || node.op === 'dense' ? [productLayer(node.name)] : [],
    );
    for (const layer of layers) expect(products).toContain(layer);
  },
);

test('all else is named after its module and what it does', () => {
  const names = packedGraph('resnet20', 'xnor-net', [8, 8, 3]).graph.nodes.map(({ name }) => name);
  for (const name of [
    '0',
    '0.norm.affine',
    '1.first.norm.affine',
    '1.first.sign',
    '1.first',
    '1.first.pixelScale',
    '4.shortcut.subsamplePad',
    '4.second.add',
    '12',
  ])
    expect(names).toContain(name);
});
