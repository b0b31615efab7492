import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'fflate';
import { beforeAll, expect, test } from 'vitest';
import { SignumError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { readSafetensors, writeSafetensors } from '../core/safetensors.ts';
import { loadPackedModel } from './packed-model.ts';
import { packedNetwork } from './packed-network.testing.ts';

const images = new Float32Array(64);
new Random(1).fillNormal(images, 0, 1);

let bytes: Uint8Array;
let text: string;
beforeAll(() => {
  bytes = packedNetwork(images);
  text = new TextDecoder().decode(gunzipSync(readSafetensors(bytes).tensors.get('graph')!.data as Uint8Array));
});

/** The same file with another `graph` tensor or other metadata. */
function changed(graph: Uint8Array | null, metadata: Record<string, string> = {}): Uint8Array {
  const file = readSafetensors(bytes);
  const tensors = new Map(file.tensors);
  if (graph) tensors.set('graph', { shape: [graph.length], data: graph });
  return writeSafetensors(tensors, { ...file.metadata, ...metadata });
}
const zipped = (json: string) => gzipSync(new TextEncoder().encode(json));

test('the same network gives the same bytes', () => {
  expect(packedNetwork(images)).toEqual(bytes);
});

test('a changed graph is refused or runs; it never crashes or throws anything but a SignumError', () => {
  const numbers = [...text.matchAll(/\d+/g)];
  const edits = fc.array(
    fc.tuple(fc.nat(numbers.length - 1), fc.oneof(fc.nat(100), fc.integer(), fc.constantFrom(2 ** 24, 2 ** 40))),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(edits, (changes) => {
      const pieces = text.split(/\d+/);
      const values = numbers.map(([value]) => value);
      for (const [i, value] of changes) values[i] = String(value);
      const edited = pieces.reduce((all, piece, i) => all + piece + (values[i] ?? ''), '');
      try {
        loadPackedModel(changed(zipped(edited))).run(images);
      } catch (error) {
        expect(error).toBeInstanceOf(SignumError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('changed bytes of the zipped graph are refused or run', () => {
  const graph = readSafetensors(bytes).tensors.get('graph')!.data as Uint8Array;
  fc.assert(
    fc.property(fc.nat(graph.length - 1), fc.nat(255), (at, byte) => {
      const damaged = graph.slice();
      damaged[at] = byte;
      try {
        loadPackedModel(changed(damaged)).run(images);
      } catch (error) {
        expect(error).toBeInstanceOf(SignumError);
      }
    }),
    { numRuns: 300 },
  );
});

test('a graph that would unzip to gigabytes is refused before memory is taken for it', () => {
  const bomb = zipped(text);
  new DataView(bomb.buffer, bomb.byteOffset).setUint32(bomb.length - 4, 0xffff_ffff, true);
  expect(() => loadPackedModel(changed(bomb))).toThrow(/claims 4294967295 bytes/);
});

test('files of other versions, of other kinds and without a graph are told apart', () => {
  expect(() => loadPackedModel(changed(null, { version: '9' }))).toThrow(/version 9.*reads version 2: pack it again/);
  const first = writeSafetensors([], { signum: '{"format":"signum-packed","version":1}' });
  expect(() => loadPackedModel(first)).toThrow(/version 1, this build reads version 2/);
  expect(() => loadPackedModel(writeSafetensors([]))).toThrow(/not a packed Signum model/);
  expect(() => loadPackedModel(changed(new Uint8Array(3)))).toThrow(/has no graph/);
  expect(() => loadPackedModel(changed(zipped('{')))).toThrow(/not valid JSON/);
});
