import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'fflate';
import { beforeAll, expect, test, vi } from 'vitest';
import { FormatError, SignumError } from '../core/errors.ts';
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

/** A file of before checksums: those of today less their two entries. */
function withoutChecksum(file: Uint8Array): Uint8Array {
  const dataStart = 8 + new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart))) as Record<string, object>;
  const { checksum: _, 'signum-crc32': __, ...metadata } = header['__metadata__'] as Record<string, string>;
  const text = new TextEncoder().encode(JSON.stringify({ ...header, __metadata__: metadata }));
  const size = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  return Uint8Array.of(...size, ...text, ...file.subarray(dataStart));
}

test('every flipped bit and every cut length is refused', () => {
  for (let bit = 0; bit < 8 * bytes.length; bit += 97) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => loadPackedModel(damaged), `bit ${bit}`).toThrow(FormatError);
  }
  for (let length = 0; length < bytes.length; length += 7)
    expect(() => loadPackedModel(bytes.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
  expect(() => loadPackedModel(bytes.slice().fill(0, bytes.length - 64))).toThrow(/damaged/);
});

test('a file of version 2 without a checksum loads, and a line says so, once; one of version 3 is refused', () => {
  expect(() => loadPackedModel(withoutChecksum(bytes))).toThrow(/has no checksum, as files of its version have/);
  const old = readFileSync(new URL('fixtures/version-2/resnet20-bnn.safetensors', import.meta.url));
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  try {
    for (let i = 0; i < 3; i++)
      expect(loadPackedModel(withoutChecksum(old)).run(images)).toEqual(loadPackedModel(old).run(images));
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^this model file is of a time before checksums.*pack/)]]);
  } finally {
    warn.mockRestore();
  }
});

test('a weight that is no number is refused by its name', () => {
  const file = readSafetensors(bytes);
  for (const [name, { shape, data }] of file.tensors) {
    if (!(data instanceof Float32Array)) continue;
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const tensors = new Map(file.tensors).set(name, { shape, data: data.map((x, i) => (i === 1 ? value : x)) });
      expect(() => loadPackedModel(writeSafetensors(tensors, file.metadata))).toThrow(
        new RegExp(`"${name}" holds ${value} at 1: .*pack it again`),
      );
    }
  }
});

test('a graph that unzips to more than it says, or to less, or to something else, is refused', () => {
  const zeros = gzipSync(new Uint8Array(2 ** 22));
  const claim = (length: number) => {
    const lie = zeros.slice();
    new DataView(lie.buffer).setUint32(lie.length - 4, length, true);
    return changed(lie);
  };
  expect(() => loadPackedModel(claim(100))).toThrow(/holds more than it says/);
  expect(() => loadPackedModel(claim(2 ** 23))).toThrow(/holds less than it says/);
  expect(() => loadPackedModel(changed(zipped(text).slice(0, -30)))).toThrow(FormatError);
  const other = zipped(text);
  new DataView(other.buffer, other.byteOffset).setUint32(other.length - 8, 1, true);
  expect(() => loadPackedModel(changed(other))).toThrow(/not what was zipped/);
});

test('a graph that is deep, or of millions of values, is refused before it is parsed', () => {
  expect(() => loadPackedModel(changed(zipped('['.repeat(1e6))))).toThrow(/more than 8 deep/);
  expect(() => loadPackedModel(changed(zipped(`{"nodes":[0${',0'.repeat(2e6)}]}`)))).toThrow(
    /more than 1048576 values/,
  );
});

test('files of other versions, of other kinds and without a graph are told apart', () => {
  expect(() => loadPackedModel(changed(null, { version: '9' }))).toThrow(
    /version 9, this build reads versions 2 and 3: pack it again/,
  );
  const first = writeSafetensors([], { signum: '{"format":"signum-packed","version":1}' });
  expect(() => loadPackedModel(first)).toThrow(/version 1, this build reads versions 2 and 3/);
  expect(() => loadPackedModel(writeSafetensors([]))).toThrow(/not a packed Signum model/);
  expect(() => loadPackedModel(changed(new Uint8Array(3)))).toThrow(/has no graph/);
  expect(() => loadPackedModel(changed(zipped('{')))).toThrow(/not valid JSON/);
});
