import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'fflate';
import { expect, test, vi } from 'vitest';
import { FormatError, SignumError } from '../core/errors.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../core/safetensors.ts';
import { packedOps } from './ops/table.ts';
import { readPackedFile } from './packed-file.ts';
import { type LoadOptions, loadPackedModel, type PackedModel } from './packed-model.ts';
import { everyOp, packedNodes } from './packed-network.testing.ts';

/** Enough for the networks of these tests, and so little that whatever passes runs at once. */
const small: LoadOptions = { maxBytes: 2 ** 25 };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Holder = Record<string, Json>;

const numbers = [
  0,
  1,
  -1,
  2,
  3,
  7,
  8,
  31,
  32,
  33,
  63,
  64,
  65,
  255,
  256,
  1024,
  1025,
  65536,
  2 ** 20,
  2 ** 24,
  2 ** 24 + 1,
  2 ** 31,
  2 ** 32,
];
const odd: Json[] = [
  0.5,
  -0.1,
  1e-30,
  1e308,
  2 ** 53,
  null,
  true,
  [],
  {},
  [1, 1, 1],
  '',
  '-inf',
  '__proto__',
  'constructor',
  'graph',
  'zero',
];

/** Every place of a JSON value: the list or object that holds it, and under which key. */
function places(value: Json): [Holder, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key) => [[holder, key] as [Holder, string], ...places(holder[key]!)]);
}

const edits = fc.array(
  fc.record({
    at: fc.nat(1 << 20),
    other: fc.nat(1 << 20),
    kind: fc.constantFrom('number', 'near', 'odd', 'double', 'drop', 'repeat', 'copy', 'alike'),
    pick: fc.nat(100),
  }),
  { minLength: 1, maxLength: 4 },
);
type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

/** Changes some places of a JSON value: to other numbers, to what stands elsewhere, to nothing. */
function mutated(value: Json, changes: Edits): Json {
  const root: Holder = { root: structuredClone(value) };
  for (const { at, other, kind, pick } of changes) {
    const all = places(root['root']!);
    if (all.length === 0) break;
    const [holder, key] = all[at % all.length]!;
    const [old, anywhere] = [holder[key]!, all[other % all.length]!];
    const sameKey = all.filter((place) => place[1] === key);
    const alike = sameKey[other % sameKey.length]!;
    if (kind === 'drop' || kind === 'repeat') {
      if (Array.isArray(holder)) holder.splice(Number(key), kind === 'drop' ? 1 : 0, structuredClone(old));
      else if (kind === 'drop') delete holder[key];
    } else
      holder[key] = {
        number: numbers[pick % numbers.length]!,
        near: typeof old === 'number' ? old + (pick % 9) - 4 : 1,
        double: typeof old === 'number' ? old * 2 : 2,
        odd: odd[pick % odd.length]!,
        copy: structuredClone(anywhere[0][anywhere[1]]!),
        alike: structuredClone(alike[0][alike[1]]!),
      }[kind]!;
  }
  return root['root']!;
}

function graphOf(bytes: Uint8Array): {
  graph: Json;
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
} {
  const { tensors, metadata } = readSafetensors(bytes);
  const graph = JSON.parse(new TextDecoder().decode(gunzipSync(tensors.get('graph')!.data as Uint8Array))) as Json;
  return { graph, tensors: new Map(tensors), metadata };
}

function withGraph({ tensors, metadata }: ReturnType<typeof graphOf>, graph: Json): Uint8Array {
  const data = gzipSync(new TextEncoder().encode(JSON.stringify(graph) ?? 'null'), { level: 1 });
  return writeSafetensors(new Map(tensors).set('graph', { shape: [data.length], data }), metadata);
}

/** Loads and runs what may be no model. */
function attempt(bytes: Uint8Array, options: LoadOptions = small): void {
  let model: PackedModel;
  try {
    model = loadPackedModel(bytes, options);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return;
  }
  try {
    model.run(new Float32Array(model.graph.input.reduce((a, b) => a * b)));
  } catch (error) {
    // a kernel may not be made for such a size; it says so before it computes
    if (!(error instanceof SignumError)) throw error;
  }
}

const images = new Float32Array(64).fill(0.5);
const old = ['resnet20-guided', 'vgg-small-bnn', 'float-ops'].map((name) =>
  readFileSync(new URL(`fixtures/version-2/${name}.safetensors`, import.meta.url)),
);
const files = [...everyOp(images), ...old];

test('a graph with changed places is refused by a FormatError, or runs', () => {
  const originals = files.map(graphOf);
  fc.assert(
    fc.property(fc.nat(files.length - 1), edits, (which, changes) => {
      const original = originals[which]!;
      attempt(withGraph(original, mutated(original.graph, changes)));
    }),
    { numRuns: 1500 },
  );
});

test('so is a header with changed places, with a checksum or without', () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  fc.assert(
    fc.property(fc.nat(files.length - 1), edits, (which, changes) => {
      const bytes = files[which]!;
      const dataStart = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, dataStart))) as Record<string, Json>;
      const { checksum: _, 'signum-crc32': __, ...metadata } = header['__metadata__'] as Holder;
      const text = new TextEncoder().encode(
        JSON.stringify(mutated({ ...header, __metadata__: metadata }, changes)) ?? '',
      );
      const size = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
      attempt(Uint8Array.of(...size, ...text, ...bytes.subarray(dataStart)));
    }),
    { numRuns: 1000 },
  );
  vi.restoreAllMocks();
});

const conv = { kernel: [1, 1] as [number, number], stride: 1, pad: 0, dilation: 1, groups: 1, filter: 'f' };
const classifier = { op: 'dense', shape: [2], weight: 'w' } as const;

const far = { ...conv, kernel: [2, 2], dilation: 1024, pad: 1024 };
const wide = [1025, 1025, 64];

test.each<[string, Uint8Array, RegExp]>([
  [
    'values between layers',
    packedNodes(
      [
        { ...far, op: 'conv2d', shape: wide },
        { op: 'relu', shape: wide },
        { op: 'add', inputs: [1, 2], shape: wide },
        { op: 'add', inputs: [1, 3], shape: wide },
        { op: 'globalAvgPool', shape: [64] },
        classifier,
      ],
      [1, 1, 1],
      { f: 256, w: 128 },
    ),
    /needs 1\.\d\d GiB to run one image: weights 0\.0 MiB \+ values between layers 7\d\d\.\d MiB \+ .*"n2" \(add\); allowed are 1\.00 GiB.*maxBytes/,
  ],
  [
    'the working memory of a kernel',
    packedNodes(
      [{ ...far, op: 'conv2d', stride: 1024, shape: [2, 2, 1] }, { op: 'reshape', shape: [4] }, classifier],
      [1, 1, 1024],
      { f: 4096, w: 8 },
    ),
    /working memory of kernels 1\d\.\d\d GiB/,
  ],
  [
    'an image',
    packedNodes([{ op: 'globalAvgPool', shape: [1] }, classifier], [2 ** 15, 2 ** 14, 1], { w: 2 }),
    /needs .* GiB.*values between layers 2\.00 GiB/,
  ],
])(
  'a small file that would take much memory for %s is refused when it is loaded, with the sum',
  (_, bytes, message) => {
    expect(bytes.length).toBeLessThan(20_000);
    expect(() => loadPackedModel(bytes)).toThrow(FormatError);
    expect(() => loadPackedModel(bytes)).toThrow(message);
  },
);

test('many nodes that make much of one tensor are counted one by one', () => {
  const shape = [1, 1, 4096];
  const bytes = packedNodes(
    [
      { ...conv, op: 'signConv2d', alpha: 'a', shape },
      ...Array.from({ length: 40 }, () => ({ ...conv, op: 'signConv2d', alpha: 'a', filter: 'g', shape }) as const),
      classifier,
    ],
    [1, 1, 1],
    { a: 4096, w: 8192 },
    [
      ['f', { shape: [512], data: new Uint8Array(512) }],
      ['g', { shape: [2 ** 21], data: new Uint8Array(2 ** 21) }],
    ],
  );
  expect(() => loadPackedModel(bytes, { maxBytes: 2 ** 26 })).toThrow(/weights 8\d\.\d MiB/);
  expect(loadPackedModel(bytes).memory.weights).toBeGreaterThan(40 * 2 ** 21);
});

test('the bound is raised by maxBytes, and what a model needs can be asked', () => {
  const bytes = files[1]!;
  const { memory } = loadPackedModel(bytes);
  expect(memory.total).toBe(memory.weights + memory.activations + memory.scratch);
  expect(() => loadPackedModel(bytes, { maxBytes: memory.total - 1 })).toThrow(/allowed are/);
  const model = loadPackedModel(bytes, { maxBytes: memory.total });
  model.run(images);
  expect(model.activationBytes).toBeLessThanOrEqual(memory.activations);
});

test.each<[string, Uint8Array, RegExp]>([
  [
    'groups that divide no channels',
    packedNodes([{ ...conv, op: 'conv2d', groups: 10, shape: [1, 1, 10] }, classifier], [1, 1, 3], { f: 3, w: 20 }),
    /cannot give \[1,1,10\]/,
  ],
  [
    'a dense layer of rows',
    packedNodes(
      [
        { op: 'dense', shape: [2, 2], weight: 'w' },
        { op: 'globalAvgPool', shape: [2] },
      ],
      [1, 1, 1],
      { w: 2 },
    ),
    /cannot give \[2,2\]/,
  ],
  [
    'one input too few',
    packedNodes([{ op: 'add', shape: [1, 1, 1] }, classifier], [1, 1, 1], { w: 2 }),
    /has 1 inputs, needs 2/,
  ],
  [
    'an input too many',
    packedNodes([{ op: 'relu', inputs: [0, 0], shape: [1, 1, 1] }, classifier], [1, 1, 1], { w: 2 }),
    /has 2 inputs, needs 1/,
  ],
  [
    'floats where signs belong',
    packedNodes([{ ...conv, op: 'xnorConv2d', padding: 'one', alpha: 'a', shape: [1, 1, 2] }]),
    /needs packed signs/,
  ],
  [
    'a filter larger than the image',
    packedNodes([{ ...conv, op: 'conv2d', kernel: [3, 3], shape: [1, 1, 2] }]),
    /larger than the padded input/,
  ],
  [
    'a value that nobody computes',
    packedNodes([{ op: 'relu', inputs: [7], shape: [1, 1, 1] }]),
    /reads value 7 before/,
  ],
  ['a value computed twice', packedNodes([{ op: 'relu', output: 0, shape: [1, 1, 1] }]), /writes value 0 twice/],
  ['no float per class', packedNodes([{ op: 'relu', shape: [1, 1, 1] }]), /not one float per class \(2\)/],
])('%s is refused', (_, bytes, message) => {
  expect(() => loadPackedModel(bytes)).toThrow(FormatError);
  expect(() => loadPackedModel(bytes)).toThrow(message);
});

test('an XNOR convolution with a scale and no shift, or the other way round, is refused', () => {
  const isScaled = (node: Holder) => node['op'] === 'xnorConv2d' && node['shift'] !== undefined;
  const scaled = files.map(graphOf).filter(({ graph }) => (graph as { nodes: Holder[] }).nodes.some(isScaled));
  expect(scaled.length).toBeGreaterThan(0);
  for (const original of scaled)
    for (const gone of ['scale', 'shift']) {
      const { nodes, ...graph } = original.graph as Holder & { nodes: Holder[] };
      const kept = (node: Holder) => Object.fromEntries(Object.entries(node).filter(([key]) => key !== gone));
      const without = nodes.map((node) => (isScaled(node) ? kept(node) : node));
      expect(() => loadPackedModel(withGraph(original, { ...graph, nodes: without }))).toThrow(/not both/);
    }
});

const faults = fileURLToPath(new URL('../../../shared/faults/', import.meta.url));
if (!existsSync(faults)) console.info('no ../shared/faults: its files are not tested');
test.skipIf(!existsSync(faults)).each([
  ['alias', /hole/],
  ['deep-16M', /deep/],
  ['dense-rows', /cannot give/],
  ['dup-key', /twice/],
  ['dup-proto', /__proto__/],
  ['groups-fraction', /cannot give/],
  ['gzip-lie', /more than it says/],
  ['mean-empty', /mean: expected a list/],
  ['missing-tensor', /cannot give|no tensor/],
  ['nodes-5M', /values/],
  ['overlap', /hole|overlap/],
  ['overlap-1MB', /overlap/],
  ['polyglot-tail', /goes on to/],
  ['run-2GB', /pad 1024 must be below/],
  ['run-20GB', /pad 1024 must be below/],
  ['scratch-7GB', /pad 1024 must be below/],
  ['scratch-64GB', /pad 1024 must be below/],
  ['trailing', /goes on to/],
])('the file %s of the attack is refused', (name, message) => {
  const bytes = readFileSync(`${faults}${name}.safetensors`);
  expect(() => loadPackedModel(bytes)).toThrow(FormatError);
  expect(() => loadPackedModel(bytes)).toThrow(message);
});

test('every op of the graph is in these files', () => {
  const found = new Set(files.flatMap((bytes) => readPackedFile(bytes).graph.nodes.map(({ op }) => op)));
  expect([...found].sort()).toEqual(packedOps.map(({ op }) => op).sort());
});
