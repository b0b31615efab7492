import type { StoredTensor } from '../core/safetensors.ts';
import { buildNetwork } from '../models/table.ts';
import { pack } from '../pack/pack.ts';
import { trainingStep } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type OpName, type StoredGraph, usualResize } from './graph.ts';
import { writePackedFile } from './packed-file.ts';

/** The file of a narrow network, its statistics those of the images. @param images [N,8,8,1] */
export function packedNetwork(images: Float32Array, model = 'resnet20', method = 'bnn', width = 0.5): Uint8Array {
  const network = buildNetwork({ model, method, inputShape: [8, 8, 1], classes: 4, width, seed: 1 });
  network.setPoint({ progress: 1, epoch: 1 });
  const batch = new Tensor(images, [images.length / 64, 8, 8, 1]);
  trainingStep(() => network.forward(batch));
  return pack(network, batch, { classes: ['a', 'b', 'c', 'd'], mean: [0.5], std: [0.25] }).bytes;
}

type LooseNode = { readonly op: OpName; readonly shape: readonly number[]; readonly [field: string]: unknown };

/** A file of these nodes, one after the other where they do not say, whose last gives two classes; `floats` are sizes of tensors of zeros. */
export function packedNodes(
  nodes: readonly LooseNode[],
  input: [number, number, number] = [1, 1, 1],
  floats: Readonly<Record<string, number>> = {},
  others: Iterable<[string, StoredTensor]> = [],
): Uint8Array {
  const [mean, std] = [0, 1].map((value) => Array<number>(input[2]).fill(value));
  const graph = {
    model: 'x',
    method: 'y',
    width: 1,
    inputs: [{ name: 'image', shape: input, picture: { mean, std, resize: usualResize } }],
    outputs: [{ name: 'logits', value: nodes.length }],
    task: { id: 'classification', settings: { classes: ['a', 'b'] } },
    head: { id: 'classifier', settings: {} },
    nodes: nodes.map((node, i) => ({
      name: `n${i}`,
      inputs: [i],
      output: i + 1,
      channels: node.shape.at(-1),
      ...node,
    })),
    floatBytes: 0,
  } as unknown as StoredGraph;
  const zeros = Object.entries(floats).map(([name, size]): [string, StoredTensor] => [
    name,
    { shape: [size], data: new Float32Array(size) },
  ]);
  return writePackedFile(graph, new Map([...zeros, ...others]));
}

/** Small files in which every op of the graph comes at least once. */
export function everyOp(images: Float32Array): Uint8Array[] {
  const shape = [2, 2, 4];
  const rare = packedNodes(
    [
      { op: 'hardtanh', shape },
      { op: 'tanh', shape },
      { op: 'softsign', shape },
      { op: 'multiply', inputs: [1, 3], shape },
      { op: 'interact', shape, edges: [{ from: 0, to: 1, direction: -1 }], sureFrom: 0.5, step: 0.1 },
      { op: 'globalAvgPool', shape: [4] },
      { op: 'sigmoid', shape: [4] },
      { op: 'channelGate', inputs: [5, 7], shape },
      { op: 'concat', inputs: [8, 5], shape: [2, 2, 8] },
      { op: 'sliceChannels', shape: [2, 2, 2], begin: 1, end: 3 },
      { op: 'avgPool', shape: [1, 1, 2], window: 2, stride: 2, pad: 0 },
      { op: 'reshape', shape: [2] },
    ],
    [2, 2, 4],
  );
  const networks = [
    ['resnet20', 'bnn'],
    ['resnet20', 'real-to-binary'],
    ['resnet20', 'guided'],
    ['resnet20', 'syq'],
    ['resnet20', 'dorefa-w2a2'],
    ['vgg-small', 'horq'],
    ['vgg-small', 'bnn'],
    ['sfc', 'ada-bin'],
    ['sfc', 'xnor-net'],
    ['sfc', 'xnor-net-pp'],
    ['sfc', 'meta-quant'],
    ['sfc', 'rbnn'],
  ] as const;
  return [rare, ...networks.map(([model, method]) => packedNetwork(images, model, method, 0.0625))];
}
