import { expect, test } from 'vitest';
import { availableBackends } from '../backend/select.ts';
import { FormatError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { type StoredGraph, usualResize } from './graph.ts';
import { definePackedOp } from './op.ts';
import { elementwise, floatWork } from './own-op.ts';
import { writePackedFile } from './packed-file.ts';
import { type LoadOptions, loadPackedModel } from './packed-model.ts';

const floats = (seed: number, length: number) => {
  const values = new Float32Array(length);
  new Random(seed).fillNormal(values, 0, 1);
  return values;
};

/** The four quarters of [4,4,C], as rows of [2,2,C]. */
const quarters = definePackedOp('quarters')({
  ...elementwise,
  shape: (_, [x]) => (x!.length === 3 && x![0] === 4 && x![1] === 4 ? [2, 2, x![2]!] : null),
  rows: (_, [x]) => 4 * x!.rows,
  prepare: ({ inputs: [input] }) => {
    const channels = input!.shape[2]!;
    return floatWork(([x], y, batch) => {
      for (let n = 0; n < batch; n++)
        for (let q = 0; q < 4; q++)
          for (let p = 0; p < 4; p++) {
            const pixel = (2 * (q >> 1) + (p >> 1)) * 4 + 2 * (q & 1) + (p & 1);
            const from = (n * 16 + pixel) * channels;
            y.floats.set(x!.floats.subarray(from, from + channels), ((n * 4 + q) * 4 + p) * channels);
          }
    });
  },
});
const joinRows = definePackedOp('joinRows')({
  ...elementwise,
  shape: (_, [x]) => [4, ...x!],
  rows: (_, [x]) => x!.rows / 4,
  prepare: () => floatWork(([x], y) => y.floats.set(x!.floats)),
});
const own = { ops: [quarters, joinRows] };

const weight = floats(1, 6);
type Node = StoredGraph['nodes'][number] & Record<string, unknown>;
const nodes: Node[] = [
  { op: 'quarters', name: 'cut', inputs: [0], output: 2 },
  { op: 'relu', name: 'relu', inputs: [2], output: 3 },
  { op: 'globalAvgPool', name: 'mean', inputs: [3], output: 4 },
  { op: 'dense', name: 'scores', inputs: [4], output: 5, channels: 3, weight: 'w' },
  { op: 'joinRows', name: 'join', inputs: [5], output: 6 },
  { op: 'add', name: 'sum', inputs: [6, 1], output: 7 },
];
const graph: StoredGraph = {
  model: 'regions',
  method: 'float',
  width: 1,
  inputs: [
    { name: 'image', shape: [4, 4, 2], picture: { mean: [0, 0], std: [1, 1], resize: usualResize } },
    { name: 'prior', shape: [4, 3] },
  ],
  outputs: [
    { name: 'sum', value: 7 },
    { name: 'scores', value: 5 },
  ],
  task: { id: 'detection', settings: { classes: 3, anchors: [[1, 2]] } },
  head: { id: 'regions', settings: { rows: 4 } },
  nodes,
  floatBytes: 24,
};
const file = (changes: Partial<StoredGraph> = {}) =>
  writePackedFile({ ...graph, ...changes }, new Map([['w', { shape: [6], data: weight }]]));
const load = (changes?: Partial<StoredGraph>, options?: LoadOptions) =>
  loadPackedModel(file(changes), { ...own, ...options });

/** Scores of every quarter of every image, in plain loops. */
function naive(images: Float32Array, count: number): number[] {
  return Array.from({ length: count * 12 }, (_, i) => {
    const [n, q, k] = [Math.floor(i / 12), Math.floor(i / 3) % 4, i % 3];
    let score = 0;
    for (let c = 0; c < 2; c++)
      for (let y = 0; y < 2; y++)
        for (let x = 0; x < 2; x++) {
          const at = ((n * 4 + 2 * (q >> 1) + y) * 4 + 2 * (q & 1) + x) * 2 + c;
          score += (Math.max(0, images[at]!) / 4) * weight[c * 3 + k]!;
        }
    return score;
  });
}

test.each(availableBackends())('several inputs, outputs and rows per image ($name)', (kernels) => {
  const model = load({}, { kernels });
  for (const count of [3, 1, 2]) {
    const [image, prior] = [floats(2, count * 32), floats(3, count * 12)];
    const { sum, scores } = model.runAll({ image, prior });
    const expected = naive(image, count);
    expect(scores).toHaveLength(count * 12);
    expected.forEach((score, i) => {
      expect(scores![i]).toBeCloseTo(score, 5);
      expect(sum![i]).toBeCloseTo(score + prior[i]!, 5);
    });
  }
});

test('memory, costs and shapes count the rows', () => {
  const model = load();
  const [cut, , , scores] = model.steps;
  expect(cut!.output).toEqual({ shape: [2, 2, 2], kind: 'floats', rows: 4 });
  expect(scores!.cost).toEqual({ weights: 6, weightBits: 32, inputBits: 32, macs: 24 });
  model.runAll({ image: floats(2, 32), prior: floats(3, 12) });
  expect(model.activationBytes).toBeLessThanOrEqual(model.memory.activations);
  expect(model.memory.activations).toBeGreaterThanOrEqual(4 * (32 + 12) + model.activationBytes);
});

test('what the file says of its purpose is kept', () => {
  const { graph: read } = load();
  expect(read).toMatchObject({ ...graph, nodes });
  expect(read.nodes.map(({ shape }) => shape)).toEqual([[2, 2, 2], [2, 2, 2], [2], [3], [4, 3], [4, 3]]);
  expect([read.input, read.classes, read.output]).toEqual([[4, 4, 2], [], 7]);
});

test('wrong calls say what to do', () => {
  const model = load();
  const [image, prior] = [floats(2, 64), floats(3, 12)];
  expect(() => model.run(image)).toThrow(/takes image, prior; give them to runAll/);
  expect(() => model.runAll({ image })).toThrow(/no input "prior"; got image/);
  expect(() => model.runAll({ image, prior })).toThrow(/inputs of 2 and 1 images/);
  expect(() => model.runAll({ image, prior: { data: prior, shape: [1, 3, 4] } })).toThrow(/the model takes \[N,4,3\]/);
  expect(() => model.predict(new Uint8Array(32))).toThrow(/for "detection", not classification/);
});

const replaced = (place: number, changes: object) =>
  nodes.map((node, i) => (i === place ? { ...node, ...changes } : node));

test.each<[string, Partial<StoredGraph>, RegExp]>([
  [
    'an op that is not known',
    { nodes: replaced(1, { op: 'swish' }) },
    /"relu" is of the op "swish", which this build does not know/,
  ],
  [
    'an op without a field',
    { nodes: replaced(3, { channels: undefined }) },
    /nodes\.3\.channels: expected a whole number/,
  ],
  [
    'rows that differ',
    {
      nodes: replaced(5, { inputs: [5, 8] }).toSpliced(5, 0, {
        op: 'globalAvgPool',
        name: 'p',
        inputs: [1],
        output: 8,
      }),
    },
    /"sum" \(add\) has inputs of 4 and 1 rows for an image/,
  ],
  [
    'rows of a part',
    { nodes: replaced(4, { inputs: [0] }) },
    /"join" \(joinRows\) cannot give 0\.25 rows for an image/,
  ],
  [
    'an output that nobody computes',
    { outputs: [{ name: 'x', value: 1 }] },
    /output "x" is value 1, which no node computes/,
  ],
  [
    'two inputs of one name',
    { inputs: [graph.inputs[0]!, { ...graph.inputs[1]!, name: 'image' }] },
    /"image" comes twice/,
  ],
  [
    'means of other channels',
    {
      inputs: [
        { name: 'image', shape: [4, 4, 2], picture: { mean: [0], std: [1, 1], resize: usualResize } },
        graph.inputs[1]!,
      ],
    },
    /inputs\.0\.picture\.mean: expected a list of 2/,
  ],
  [
    'another resize rule',
    {
      inputs: [
        {
          ...graph.inputs[0]!,
          picture: { mean: [0, 0], std: [1, 1], resize: { ...usualResize, fit: 'squash' as 'cover' } },
        },
        graph.inputs[1]!,
      ],
    },
    /resize\.fit: expected one of "cover", "fill", "contain"/,
  ],
])('%s is refused', (_, changes, message) => {
  expect(() => load(changes)).toThrow(FormatError);
  expect(() => load(changes)).toThrow(message);
});
