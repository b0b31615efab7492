import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { availableBackends } from '../backend/select.ts';
import { Random } from '../core/random.ts';
import { readSafetensors } from '../core/safetensors.ts';
import { readPackedFile, writePackedFile } from './packed-file.ts';
import { loadPackedModel } from './packed-model.ts';

const folder = new URL('fixtures/version-2/', import.meta.url);
/** What the build that wrote these files gave for two images, per backend, as hexadecimal float32. */
const outputs = JSON.parse(readFileSync(new URL('outputs.json', folder), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const hex = (floats: Float32Array) => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('hex');

/** WebAssembly's sums of floats are those of the machine's relaxed instructions: its own file is compared with itself. */
const backends = availableBackends().filter(({ name }) => name !== 'wasm');

test('every file has its outputs', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  expect(files.map((name) => name.replace('.safetensors', '')).sort()).toEqual(Object.keys(outputs).sort());
});

describe.each(Object.keys(outputs))('%s of version 2', (name) => {
  const bytes = readFileSync(new URL(`${name}.safetensors`, folder));
  const images = new Float32Array(2 * loadPackedModel(bytes).graph.input.reduce((a, b) => a * b));
  new Random(7).fillNormal(images, 0, 1);

  test.each(backends)('gives the bits that it gave ($name)', (kernels) => {
    expect(hex(loadPackedModel(bytes, { kernels }).run(images))).toBe(outputs[name]![kernels.name]);
  });

  test('gives the same bits as the same network in a file of version 3, on every backend', () => {
    const { graph } = readPackedFile(bytes);
    const tensors = new Map(readSafetensors(bytes).tensors);
    tensors.delete('graph');
    const nodes = graph.nodes.map(({ shape, ...node }) => (node.op === 'reshape' ? { ...node, shape } : node));
    const file = writePackedFile({ ...graph, nodes }, tensors);
    expect(readSafetensors(file).metadata['version']).toBe('3');
    for (const kernels of availableBackends())
      expect(loadPackedModel(file, { kernels }).run(images)).toEqual(loadPackedModel(bytes, { kernels }).run(images));
  });
});
